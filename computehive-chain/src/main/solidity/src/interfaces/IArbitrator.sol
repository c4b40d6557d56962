// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IArbitrator
/// @notice A court that decides disputes for a fee: what ERC-792 asks of it and {Erc792Arbiter} calls.
interface IArbitrator {
    /// @notice Opens a dispute, for at least `arbitrationCost(extraData)` of the native coin.
    /// @param choices How many rulings there are beside zero, which refuses to rule.
    /// @param extraData What the court wants to know, such as its division and how many jurors.
    /// @return disputeID What the court calls the dispute.
    function createDispute(uint256 choices, bytes calldata extraData) external payable returns (uint256 disputeID);

    /// @notice What a dispute costs, in the native coin's smallest unit.
    /// @param extraData What the court wants to know with each dispute.
    /// @return cost The fee, in the native coin's smallest unit.
    function arbitrationCost(bytes calldata extraData) external view returns (uint256 cost);
}

/// @title IArbitrable
/// @notice What a court calls with its ruling (ERC-792).
interface IArbitrable {
    /// @notice Emitted when the court's ruling arrives.
    /// @param arbitrator The court.
    /// @param disputeID What the court calls the dispute.
    /// @param ruling Which of the choices the court took; zero if it refused.
    event Ruling(IArbitrator indexed arbitrator, uint256 indexed disputeID, uint256 ruling);

    /// @notice Gives a ruling. For the arbitrator alone.
    /// @param disputeID What the court calls the dispute.
    /// @param ruling Which of the choices the court took; zero if it refused.
    function rule(uint256 disputeID, uint256 ruling) external;
}
