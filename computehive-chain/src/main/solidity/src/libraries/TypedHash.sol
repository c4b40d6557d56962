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
            word := calldataload(add(offer, 0x20))
            mstore(add(to, 0x80), shr(96, word)) // renter
            mstore(add(to, 0xa0), and(word, 0xffffffffffffffffffffffff)) // rate
            word := calldataload(add(offer, 0x40))
            mstore(add(to, 0xc0), shr(96, word)) // token
            mstore(add(to, 0xe0), and(word, 0xffffffffffffffffffffffff)) // bond
            word := calldataload(add(offer, 0x60))
            mstore(add(to, 0x100), shr(96, word)) // arbiter
            mstore(add(to, 0x120), and(word, 0xffffffffffffffffffffffff)) // disputeBond
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
        return ofTwo(RECEIPT_TYPEHASH, offerHash, bytes32(uint256(used)));
    }

    /// @notice The struct hash of a lender's release.
    function ofRelease(bytes32 offerHash) internal pure returns (bytes32) {
        return ofOne(RELEASE_TYPEHASH, offerHash);
    }

    /// @notice The struct hash of a renter's consent.
    function ofConsent(bytes32 offerHash) internal pure returns (bytes32) {
        return ofOne(CONSENT_TYPEHASH, offerHash);
    }

    /// @notice The struct hash of an extension.
    function ofExtension(bytes32 firstHash, bytes32 offerHash) internal pure returns (bytes32) {
        return ofTwo(EXTENSION_TYPEHASH, firstHash, offerHash);
    }

    /// @dev The struct hash of a message with one member, made in the scratch space.
    function ofOne(bytes32 typeHash, bytes32 member) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, typeHash)
            mstore(0x20, member)
            hash := keccak256(0x00, 0x40)
        }
    }

    /// @dev The struct hash of a message with two members, made in the free memory, which is left free.
    function ofTwo(bytes32 typeHash, bytes32 first, bytes32 second) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let to := mload(0x40)
            mstore(to, typeHash)
            mstore(add(to, 0x20), first)
            mstore(add(to, 0x40), second)
            hash := keccak256(to, 0x60)
        }
    }
}
