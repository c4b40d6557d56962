// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PackedOffer } from "../types/PackedOffer.sol";

/// @title TypedHash
/// @notice The EIP-712 struct hashes of the messages that lenders and renters sign.
library TypedHash {
    bytes32 internal constant OFFER_TYPEHASH = keccak256(
        "Offer(address lender,uint64 lane,uint32 sequence,address renter,uint96 rate,address token,uint96 bond,"
        "address arbiter,uint96 disputeBond,uint40 start,uint32 duration,uint40 expiry,uint24 grace,"
        "uint24 disputeWindow,uint32 notice,uint16 lateShare,uint32 noShowAfter,uint16 noShowShare,bytes32 spec)"
    );

    bytes32 internal constant RECEIPT_TYPEHASH = keccak256("Receipt(bytes32 offerHash,uint32 used)");

    bytes32 internal constant RELEASE_TYPEHASH = keccak256("Release(bytes32 offerHash)");

    bytes32 internal constant CONSENT_TYPEHASH = keccak256("Consent(bytes32 offerHash)");

    bytes32 internal constant EXTENSION_TYPEHASH = keccak256("Extension(bytes32 firstHash,bytes32 offerHash)");

    /// @notice The struct hash of an offer: of the type hash, and of 19 words, one for each member.
    function ofOffer(PackedOffer calldata offer) internal pure returns (bytes32 hash) {
        bytes32 typeHash = OFFER_TYPEHASH;
        // Unpacks into the free memory and leaves that free.
        assembly ("memory-safe") {
            let to := mload(0x40)
            mstore(to, typeHash)
            let word := calldataload(offer)
            mstore(add(to, 0x20), shr(96, word)) // lender
            mstore(add(to, 0x40), and(shr(32, word), 0xffffffffffffffff)) // lane
            mstore(add(to, 0x60), and(word, 0xffffffff)) // sequence
            for { let i := 0x20 } lt(i, 0x80) { i := add(i, 0x20) } {
                // renter and rate, token and bond, arbiter and disputeBond
                word := calldataload(add(offer, i))
                let at := add(to, shl(1, i))
                mstore(add(at, 0x40), shr(96, word))
                mstore(add(at, 0x60), and(word, 0xffffffffffffffffffffffff))
            }
            word := calldataload(add(offer, 0x80))
            mstore(add(to, 0x140), shr(216, word)) // start
            mstore(add(to, 0x160), and(shr(184, word), 0xffffffff)) // duration
            mstore(add(to, 0x180), and(shr(144, word), 0xffffffffff)) // expiry
            mstore(add(to, 0x1a0), and(shr(120, word), 0xffffff)) // grace
            mstore(add(to, 0x1c0), and(shr(96, word), 0xffffff)) // disputeWindow
            mstore(add(to, 0x1e0), and(shr(64, word), 0xffffffff)) // notice
            mstore(add(to, 0x200), and(shr(48, word), 0xffff)) // lateShare
            mstore(add(to, 0x220), and(shr(16, word), 0xffffffff)) // noShowAfter
            mstore(add(to, 0x240), and(word, 0xffff)) // noShowShare
            mstore(add(to, 0x260), calldataload(add(offer, 0xa0))) // spec
            hash := keccak256(to, 0x280)
        }
    }

    /// @notice The struct hash of a receipt over `used` seconds.
    function ofReceipt(bytes32 offerHash, uint32 used) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, offerHash, used));
    }

    /// @notice The struct hash of a lender's release.
    function ofRelease(bytes32 offerHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(RELEASE_TYPEHASH, offerHash));
    }

    /// @notice The struct hash of a renter's consent.
    function ofConsent(bytes32 offerHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONSENT_TYPEHASH, offerHash));
    }

    /// @notice The struct hash of an extension.
    function ofExtension(bytes32 firstHash, bytes32 offerHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(EXTENSION_TYPEHASH, firstHash, offerHash));
    }
}
