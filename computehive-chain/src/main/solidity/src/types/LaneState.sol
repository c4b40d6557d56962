// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The one storage slot of a lane. Idle: the sequence number of the next offer. Rented: the EIP-712 struct
/// hash of the open offer, whose terms come back in calldata with every later call.
/// @dev The two cannot be confused: a struct hash that fits into 64 bits would be a partial preimage of 192 bits. The
/// struct hash rather than the digest is stored, so that a chain that changes its id strands no open rental.
type LaneState is bytes32;

using { isRented, sequence, structHash, isIdleAt, isRentedAs } for LaneState global;

/// @notice The state of an idle lane whose next offer has the number `next`.
function idle(uint64 next) pure returns (LaneState) {
    return LaneState.wrap(bytes32(uint256(next)));
}

/// @notice The state of a lane on which the offer with the struct hash `hash` is open.
function rented(bytes32 hash) pure returns (LaneState) {
    return LaneState.wrap(hash);
}

/// @notice Whether a rental is open on the lane.
function isRented(LaneState self) pure returns (bool) {
    return uint256(LaneState.unwrap(self)) > type(uint64).max;
}

/// @notice The number of the next offer. Meaningful only if the lane is idle.
function sequence(LaneState self) pure returns (uint64) {
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint64(uint256(LaneState.unwrap(self)));
}

/// @notice The struct hash of the open offer. Meaningful only if the lane is rented.
function structHash(LaneState self) pure returns (bytes32) {
    return LaneState.unwrap(self);
}

/// @notice Whether the lane is idle and waits for the offer numbered `number`.
function isIdleAt(LaneState self, uint64 number) pure returns (bool) {
    return LaneState.unwrap(self) == bytes32(uint256(number));
}

/// @notice Whether the offer with the struct hash `hash` is the one open on the lane.
function isRentedAs(LaneState self, bytes32 hash) pure returns (bool) {
    return LaneState.unwrap(self) == hash;
}
