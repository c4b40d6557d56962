// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

/// @dev A wallet contract that one key signs for.
contract KeyWallet is IERC1271 {
    address public immutable KEY;

    constructor(address key) {
        KEY = key;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        return problem == ECDSA.RecoverError.NoError && signer == KEY ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @dev A wallet contract that answers every question about signatures as it is told.
contract LyingWallet {
    bytes public answer;
    bool public reverts;

    function tell(bytes calldata answer_, bool reverts_) external {
        (answer, reverts) = (answer_, reverts_);
    }

    fallback() external {
        bytes memory said = answer;
        bool refuses = reverts;
        assembly {
            if refuses { revert(add(said, 0x20), mload(said)) }
            return(add(said, 0x20), mload(said))
        }
    }
}

/// @dev A wallet contract that tries to change the escrow's state while it is asked about a signature.
contract MeddlingWallet {
    IRentalEscrow public immutable ESCROW;

    constructor(IRentalEscrow escrow) {
        ESCROW = escrow;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        ESCROW.cancelOffers(7);
        return IERC1271.isValidSignature.selector;
    }
}

/// @dev Has no way of receiving native coin, and withdraws to itself.
contract RejectingReceiver {
    function withdraw(IRentalEscrow escrow, address token, uint256 amount, address to) external {
        escrow.withdraw(token, amount, to);
    }

    function deposit(IRentalEscrow escrow) external payable {
        escrow.deposit{ value: msg.value }(address(0), msg.value);
    }
}

/// @dev Withdraws again when coin arrives.
contract GreedyReceiver {
    IRentalEscrow public immutable ESCROW;
    uint256 public amount;
    bytes public answer;
    bool public swallows;

    constructor(IRentalEscrow escrow) {
        ESCROW = escrow;
    }

    function deposit() external payable {
        ESCROW.deposit{ value: msg.value }(address(0), msg.value);
    }

    function strike(uint256 amount_, bool swallows_) external {
        (amount, swallows) = (amount_, swallows_);
        ESCROW.withdraw(address(0), amount_, address(this));
    }

    receive() external payable {
        try ESCROW.withdraw(address(0), amount, address(this)) { }
        catch (bytes memory reason) {
            answer = reason;
            require(swallows, "refused");
        }
    }
}

/// @dev Returns a megabyte when coin arrives, to make the sender pay for copying it.
contract BombReceiver {
    receive() external payable {
        assembly {
            return(0, 1000000)
        }
    }
}

/// @dev A renter that is a contract, so that a token can call back through it.
contract ContractRenter {
    function approve(IERC20 token, address spender) external {
        token.approve(spender, type(uint256).max);
    }

    function call(address target, bytes calldata payload) external payable returns (bytes memory) {
        (bool success, bytes memory answer) = target.call{ value: msg.value }(payload);
        if (!success) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return answer;
    }

    function open(IRentalEscrow escrow, Offer calldata offer, bytes calldata signature) external payable {
        escrow.open{ value: msg.value }(pack(offer), signature);
    }
}
