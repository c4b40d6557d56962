// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IArbitrable, IArbitrator } from "../../src/interfaces/IArbitrator.sol";

/// @dev A court whose clerk is whoever calls; it numbers disputes from 41 on.
contract Court is IArbitrator {
    uint256 public constant FEE = 0.01 ether;
    uint256 public last = 40;
    bytes public told;
    bool public hasty;

    function createDispute(uint256 choices, bytes calldata extraData) external payable override returns (uint256) {
        require(msg.value == FEE && choices == 2, "fee or choices");
        told = extraData;
        if (hasty) IArbitrable(msg.sender).rule(last + 1, 1);
        return ++last;
    }

    function arbitrationCost(bytes calldata) external pure override returns (uint256) {
        return FEE;
    }

    function giveRuling(IArbitrable arbitrable, uint256 disputeID, uint256 ruling) external {
        arbitrable.rule(disputeID, ruling);
    }

    /// @dev Makes it rule before it told what it calls the dispute.
    function hurry() external {
        hasty = true;
    }
}
