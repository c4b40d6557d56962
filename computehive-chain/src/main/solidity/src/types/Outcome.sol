// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice How a rental was closed, in one word: `how` (8 bits), `used` (32), `slash` (96), `forfeit` (96), zeros.
/// @dev With the offer's terms it says who got what: the lender `rate * used + bond - slash`, the renter
/// `rate * (duration - used) + slash`, and of a dispute's bond the one who disputed all but `forfeit`.
type Outcome is uint256;

using { how, used, slash, forfeit } for Outcome global;

/// @dev `used` is at most a window's length, and a slash at most a bond: both fit.
function outcomeOf(uint256 how_, uint256 used_, uint256 slash_, uint256 forfeit_) pure returns (Outcome) {
    return Outcome.wrap(how_ << 248 | used_ << 216 | slash_ << 120 | forfeit_ << 24);
}

function how(Outcome self) pure returns (uint256) {
    return Outcome.unwrap(self) >> 248;
}

// forge-lint: disable-start(unsafe-typecast)

function used(Outcome self) pure returns (uint256) {
    return uint32(Outcome.unwrap(self) >> 216);
}

function slash(Outcome self) pure returns (uint256) {
    return uint96(Outcome.unwrap(self) >> 120);
}

function forfeit(Outcome self) pure returns (uint256) {
    return uint96(Outcome.unwrap(self) >> 24);
}

// forge-lint: disable-end(unsafe-typecast)
