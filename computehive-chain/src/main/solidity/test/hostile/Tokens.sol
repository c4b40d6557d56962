// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Mints to anybody; the base of the tokens that misbehave.
abstract contract OpenToken is ERC20 {
    constructor() ERC20("Hostile", "HOST") { }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Keeps one percent of what arrives.
contract FeeToken is OpenToken {
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) {
            super._update(to, address(0), amount / 100);
        }
    }
}

/// @dev Takes one percent on top from the sender.
contract SurchargeToken is OpenToken {
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0) && balanceOf(from) > 0) {
            super._update(from, address(0), amount / 100);
        }
    }
}

/// @dev Returns false instead of moving anything.
contract FalseToken is OpenToken {
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Says true and moves nothing.
contract LazyToken is OpenToken {
    function transfer(address, uint256) public pure override returns (bool) {
        return true;
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @dev Burns from the receiver whatever it is asked to move.
contract ShrinkingToken is OpenToken {
    function transferFrom(address, address to, uint256 amount) public override returns (bool) {
        _burn(to, amount);
        return true;
    }

    function transfer(address, uint256 amount) public override returns (bool) {
        _mint(msg.sender, amount);
        return true;
    }
}

/// @dev Moves what it should and returns nothing, as USDT does.
contract VoidToken {
    mapping(address account => uint256 amount) public balanceOf;
    mapping(address account => mapping(address spender => uint256 amount)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Calls `target` with `payload` in the middle of the next transfer, and may skip the transfer itself.
contract ReenteringToken is OpenToken {
    address public target;
    bytes public payload;
    bool public moves = true;
    bool public succeeded;
    bytes public answer;

    function arm(address target_, bytes calldata payload_, bool moves_) external {
        (target, payload, moves) = (target_, payload_, moves_);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return _strike() ? super.transfer(to, amount) : true;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return _strike() ? super.transferFrom(from, to, amount) : true;
    }

    function _strike() private returns (bool) {
        address victim = target;
        if (victim == address(0)) return true;
        target = address(0);
        (succeeded, answer) = victim.call(payload);
        return moves;
    }
}

/// @dev Behaves, or misbehaves in the way it is told to, until it is told otherwise; and blocks an account as USDC does.
contract FickleToken is OpenToken {
    enum Mood {
        HONEST,
        REENTERING, // calls somebody in the middle of the next transfer
        SURCHARGING, // burns one unit more of whoever sends
        TAKING_A_FEE, // burns one unit of what arrives
        REFUSING, // returns false
        LYING // returns true, and moves nothing
    }

    Mood public mood;
    address public blocked;
    address public target;
    bytes public payload;
    /// @dev Whether the call in the middle of a transfer was made.
    bool public struck;

    function turn(Mood mood_, address blocked_) external {
        (mood, blocked, target, struck) = (mood_, blocked_, address(0), false);
    }

    function arm(address target_, bytes calldata payload_) external {
        (target, payload, struck) = (target_, payload_, false);
    }

    /// @dev Whether a pull from that account can succeed.
    function pulls(address from) external view returns (bool) {
        return from != blocked && mood <= Mood.SURCHARGING;
    }

    /// @dev Whether a payment to that account can succeed. A fee that the receiver bears takes nothing from anybody else.
    function pays(address to) external view returns (bool) {
        return to != blocked && (mood <= Mood.REENTERING || mood == Mood.TAKING_A_FEE);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (mood == Mood.SURCHARGING) _burn(msg.sender, 1);
        return _moves() ? super.transfer(to, amount) : mood == Mood.LYING;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return _moves() ? super.transferFrom(from, to, amount) : mood == Mood.LYING;
    }

    function _moves() private returns (bool) {
        address victim = target;
        if (mood == Mood.REENTERING && victim != address(0)) {
            target = address(0);
            (struck,) = victim.call(payload);
        }
        return mood < Mood.REFUSING;
    }

    function _update(address from, address to, uint256 amount) internal override {
        bool moved = from != address(0) && to != address(0);
        require(!moved || (from != blocked && to != blocked), "blocked");
        super._update(from, to, amount);
        if (moved && mood == Mood.TAKING_A_FEE) super._update(to, address(0), 1);
    }
}
