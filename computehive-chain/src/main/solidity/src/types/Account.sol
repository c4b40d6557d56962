// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "../libraries/Errors.sol";
import { Outcome } from "./Outcome.sol";
import { Phase } from "./Phase.sol";

/// @notice What the escrow owes one account in one token, and what became of the rentals it was the lender of, in one
/// storage slot: `used` (1 bit), `slashed` (15), `disputed` (16), `settled` (24), `secondsServed` (40), `balance`
/// (160).
/// @dev `used` is set by the first credit and never cleared: a slot that stays nonzero when its balance is drawn to
/// zero makes every later credit the rewrite of a slot (2,900 gas) instead of a new one (20,000 gas and more). Counters
/// stay at their greatest value instead of overflowing, and so never keep a rental from closing. A balance that
/// overflows is refused; it takes 2^32 credits of the greatest amount, which no token's supply has that is worth
/// anything.
type Account is uint256;

using { balance, secondsServed, settled, disputed, slashed, credited, debited, counting } for Account global;

uint256 constant BALANCE_MASK = type(uint160).max;
uint256 constant USED_BIT = 1 << 255;

// forge-lint: disable-start(unsafe-typecast)

/// @notice What the account may withdraw or rent with, in the token's smallest unit.
function balance(Account self) pure returns (uint256) {
    return uint160(Account.unwrap(self));
}

/// @notice The seconds that were paid for, in rentals that paid the account as their lender.
function secondsServed(Account self) pure returns (uint256) {
    return uint40(Account.unwrap(self) >> 160);
}

/// @notice How many rentals with at least one second paid for were closed for the account as their lender.
function settled(Account self) pure returns (uint256) {
    return uint24(Account.unwrap(self) >> 200);
}

/// @notice How many of its rentals as the lender were disputed and decided.
function disputed(Account self) pure returns (uint256) {
    return uint16(Account.unwrap(self) >> 224);
}

/// @notice How many times it lost some of its bond.
function slashed(Account self) pure returns (uint256) {
    return uint16(Account.unwrap(self) >> 240) & 0x7fff;
}

// forge-lint: disable-end(unsafe-typecast)

/// @notice The account with `amount` more.
function credited(Account self, uint256 amount) pure returns (Account) {
    uint256 word = Account.unwrap(self);
    // What the balance lacks of its greatest value: each of its bits turned.
    if (amount > ~word & BALANCE_MASK) revert Errors.AmountTooLarge(amount);
    unchecked {
        return Account.wrap((word + amount) | USED_BIT);
    }
}

/// @notice The account with `amount` less, which must be at most its balance.
function debited(Account self, uint256 amount) pure returns (Account) {
    unchecked {
        return Account.wrap(Account.unwrap(self) - amount);
    }
}

/// @notice The account with one more closed rental in its counters.
function counting(Account self, Phase phase, Outcome outcome) pure returns (Account) {
    uint256 word = Account.unwrap(self);
    uint256 served = outcome.used();
    unchecked {
        if (served > 0) {
            uint256 room = type(uint40).max - secondsServed(self);
            word += (served < room ? served : room) << 160;
            if (settled(self) < type(uint24).max) word += 1 << 200;
        }
        if (phase.isDisputed() && disputed(self) < type(uint16).max) word += 1 << 224;
        if (outcome.slash() > 0 && slashed(self) < 0x7fff) word += 1 << 240;
    }
    return Account.wrap(word);
}
