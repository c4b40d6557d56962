// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Offer } from "./Offer.sol";

/// @notice `lender` (160 bits), `lane` (64), `sequence` (32), from the most significant bit on.
type LenderWord is uint256;

/// @notice `renter` (160 bits), `rate` (96).
type RenterWord is uint256;

/// @notice `token` (160 bits), `bond` (96).
type TokenWord is uint256;

/// @notice `arbiter` (160 bits), `disputeBond` (96).
type ArbiterWord is uint256;

/// @notice `start` (40 bits), `duration` (32), `expiry` (40), `grace` (24), `disputeWindow` (24), `notice` (32),
/// `lateShare` (16), `noShowAfter` (32), `noShowShare` (16).
type Clauses is uint256;

using { lender, lane, sequence, laneKey } for LenderWord global;
using { renter, rate } for RenterWord global;
using { token, bond } for TokenWord global;
using { arbiter, disputeBond } for ArbiterWord global;
using {
    start,
    duration,
    expiry,
    grace,
    disputeWindow,
    notice,
    lateShare,
    noShowAfter,
    noShowShare,
    end,
    unlock
} for Clauses global;

/// @notice An {Offer} as calls and logs carry it: the same members in the same order, in six words without a spare bit.
/// So each six words are exactly one offer.
struct PackedOffer {
    LenderWord lenderWord;
    RenterWord renterWord;
    TokenWord tokenWord;
    ArbiterWord arbiterWord;
    Clauses clauses;
    bytes32 spec;
}

// The casts below cut a word into its members.
// forge-lint: disable-start(unsafe-typecast)

function lender(LenderWord self) pure returns (address) {
    return address(uint160(LenderWord.unwrap(self) >> 96));
}

function lane(LenderWord self) pure returns (uint64) {
    return uint64(LenderWord.unwrap(self) >> 32);
}

function sequence(LenderWord self) pure returns (uint32) {
    return uint32(LenderWord.unwrap(self));
}

/// @notice Lender and lane together, as the escrow's storage knows a lane.
function laneKey(LenderWord self) pure returns (uint256) {
    return LenderWord.unwrap(self) >> 32;
}

function renter(RenterWord self) pure returns (address) {
    return address(uint160(RenterWord.unwrap(self) >> 96));
}

function rate(RenterWord self) pure returns (uint256) {
    return uint96(RenterWord.unwrap(self));
}

function token(TokenWord self) pure returns (address) {
    return address(uint160(TokenWord.unwrap(self) >> 96));
}

function bond(TokenWord self) pure returns (uint256) {
    return uint96(TokenWord.unwrap(self));
}

function arbiter(ArbiterWord self) pure returns (address) {
    return address(uint160(ArbiterWord.unwrap(self) >> 96));
}

function disputeBond(ArbiterWord self) pure returns (uint256) {
    return uint96(ArbiterWord.unwrap(self));
}

function start(Clauses self) pure returns (uint256) {
    return Clauses.unwrap(self) >> 216;
}

function duration(Clauses self) pure returns (uint256) {
    return uint32(Clauses.unwrap(self) >> 184);
}

function expiry(Clauses self) pure returns (uint256) {
    return uint40(Clauses.unwrap(self) >> 144);
}

function grace(Clauses self) pure returns (uint256) {
    return uint24(Clauses.unwrap(self) >> 120);
}

function disputeWindow(Clauses self) pure returns (uint256) {
    return uint24(Clauses.unwrap(self) >> 96);
}

function notice(Clauses self) pure returns (uint256) {
    return uint32(Clauses.unwrap(self) >> 64);
}

function lateShare(Clauses self) pure returns (uint256) {
    return uint16(Clauses.unwrap(self) >> 48);
}

function noShowAfter(Clauses self) pure returns (uint256) {
    return uint32(Clauses.unwrap(self) >> 16);
}

function noShowShare(Clauses self) pure returns (uint256) {
    return uint16(Clauses.unwrap(self));
}

// forge-lint: disable-end(unsafe-typecast)

/// @notice When the window ends, in seconds since 1970. It fits into 41 bits.
function end(Clauses self) pure returns (uint256) {
    unchecked {
        return start(self) + duration(self);
    }
}

/// @notice From when on the lender is paid in full though the renter is silent, in seconds since 1970.
function unlock(Clauses self) pure returns (uint256) {
    unchecked {
        return end(self) + disputeWindow(self);
    }
}

/// @notice Packs an offer, for contracts that call the escrow.
function pack(Offer memory offer) pure returns (PackedOffer memory packed) {
    packed.lenderWord =
        LenderWord.wrap(uint256(uint160(offer.lender)) << 96 | uint256(offer.lane) << 32 | offer.sequence);
    packed.renterWord = RenterWord.wrap(uint256(uint160(offer.renter)) << 96 | offer.rate);
    packed.tokenWord = TokenWord.wrap(uint256(uint160(offer.token)) << 96 | offer.bond);
    packed.arbiterWord = ArbiterWord.wrap(uint256(uint160(offer.arbiter)) << 96 | offer.disputeBond);
    uint256 times = uint256(offer.start) << 216 | uint256(offer.duration) << 184 | uint256(offer.expiry) << 144
        | uint256(offer.grace) << 120 | uint256(offer.disputeWindow) << 96;
    packed.clauses = Clauses.wrap(
        times | uint256(offer.notice) << 64 | uint256(offer.lateShare) << 48 | uint256(offer.noShowAfter) << 16
            | offer.noShowShare
    );
    packed.spec = offer.spec;
}
