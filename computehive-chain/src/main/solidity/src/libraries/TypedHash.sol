// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Offer } from "../types/Offer.sol";

/// @title TypedHash
/// @notice The EIP-712 struct hashes of the messages that lenders and renters sign.
library TypedHash {
    bytes32 internal constant OFFER_TYPEHASH = keccak256(
        "Offer(address lender,uint64 lane,uint64 sequence,address renter,address token,address arbiter,"
        "uint96 rate,uint40 start,uint32 duration,uint32 grace,uint32 disputeWindow,uint40 expiry,bytes32 spec)"
    );

    bytes32 internal constant RECEIPT_TYPEHASH = keccak256("Receipt(bytes32 offerHash,uint32 used)");

    bytes32 internal constant RELEASE_TYPEHASH = keccak256("Release(bytes32 offerHash)");

    /// @notice What the struct hash of an offer is taken of: the type hash, and 13 words, one for each member.
    /// @dev A struct of value types is encoded in place, as EIP-712 asks; members that overflow their type are refused.
    function encode(Offer calldata offer) internal pure returns (bytes memory) {
        return abi.encode(OFFER_TYPEHASH, offer);
    }

    /// @notice The struct hash of an offer.
    function ofOffer(Offer calldata offer) internal pure returns (bytes32) {
        return keccak256(encode(offer));
    }

    /// @notice The struct hash of a receipt over `used` seconds.
    function ofReceipt(bytes32 offerHash, uint32 used) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, offerHash, used));
    }

    /// @notice The struct hash of a lender's release.
    function ofRelease(bytes32 offerHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(RELEASE_TYPEHASH, offerHash));
    }
}
