// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PackedOffer } from "./PackedOffer.sol";
import { Phase } from "./Phase.sol";

/// @notice The one storage slot of a lane. Idle: the sequence number of the next offer. Running: the hash of the open
/// offer's six words, which come back in calldata with every later call. In a later phase: the hash of those words and
/// of the phase, which comes back too.
/// @dev The three cannot be confused: a hash that fits into 64 bits would be a partial preimage of 192 bits, and six
/// words never hash as seven do. No digest of EIP-712 is stored, so that a chain that changes its id strands no open
/// rental.
type LaneState is bytes32;

using { isRented, sequence, isIdleAt, isRentedAs } for LaneState global;

/// @notice The state of an idle lane whose next offer has the number `next`.
function idle(uint256 next) pure returns (LaneState) {
    return LaneState.wrap(bytes32(next));
}

/// @notice The state of a lane on which an offer is open in a phase.
function rented(PackedOffer calldata offer, Phase phase) pure returns (LaneState state) {
    uint256 length = phase.isRunning() ? 0xc0 : 0xe0;
    // Copies the six words into the free memory and leaves that free.
    assembly ("memory-safe") {
        let to := mload(0x40)
        calldatacopy(to, offer, 0xc0)
        mstore(add(to, 0xc0), phase)
        state := keccak256(to, length)
    }
}

/// @notice Whether a rental is open on the lane.
function isRented(LaneState self) pure returns (bool) {
    return uint256(LaneState.unwrap(self)) > type(uint64).max;
}

/// @notice The number of the next offer. Meaningful only if the lane is idle.
function sequence(LaneState self) pure returns (uint256) {
    return uint256(LaneState.unwrap(self));
}

/// @notice Whether the lane is idle and waits for the offer numbered `number`.
function isIdleAt(LaneState self, uint256 number) pure returns (bool) {
    return LaneState.unwrap(self) == bytes32(number);
}

/// @notice Whether an offer is the one open on the lane, in just that phase.
function isRentedAs(LaneState self, PackedOffer calldata offer, Phase phase) pure returns (bool) {
    return LaneState.unwrap(self) == LaneState.unwrap(rented(offer, phase));
}
