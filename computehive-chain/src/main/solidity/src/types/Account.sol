// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the escrow owes one account in one token, in one storage slot.
/// @dev `used` is set by the first credit and never cleared: a slot that stays nonzero when its balance is drawn to
/// zero makes every later credit the rewrite of a slot (2,900 gas) instead of a new one (20,000 gas and more).
/// No balance can overflow and so keep a rental from closing, whatever the token: a credit is at most 2^128 - 1, so it
/// would take 2^120 of them.
/// @param balance What the account may withdraw or rent with, in the token's smallest unit.
/// @param used Whether the account was ever credited.
struct Account {
    // slot 0
    uint248 balance;
    bool used;
}
