// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @dev A token with ERC-2612 permits that behaves.
contract PermitToken is ERC20Permit {
    constructor() ERC20("Permit", "PRMT") ERC20Permit("Permit") { }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Answers a permit with a yes and gives no allowance, as a token with a fallback function does.
contract PhantomPermitToken is ERC20 {
    constructor() ERC20("Phantom", "PHTM") { }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    fallback() external { }
}
