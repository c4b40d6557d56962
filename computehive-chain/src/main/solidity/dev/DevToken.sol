// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title DevToken
/// @notice A stablecoin's stand-in for development chains: anybody may mint any amount. Worth nothing, on purpose.
contract DevToken is ERC20 {
    constructor() ERC20("Dev USD", "dUSD") { }

    /// @notice Creates `amount` (in millionths of a dollar) for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
