// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC5267 } from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import { Base } from "../Base.t.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

/// @dev The digests, computed a second time from the words of EIP-712 alone.
contract HashesTest is Base {
    function domainSeparator() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("ComputeHive RentalEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
    }

    function digest(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(), structHash));
    }

    function testFuzz_HashOffer(Offer memory offer, uint64 chainId) external {
        vm.chainId(bound(chainId, 1, type(uint64).max - 1));
        assertEq(escrow.hashOffer(pack(offer)), digest(structHashOf(offer)));
    }

    function testFuzz_HashReceipt(bytes32 offerHash, uint32 used) external view {
        bytes32 structHash = keccak256(abi.encode(keccak256("Receipt(bytes32 offerHash,uint32 used)"), offerHash, used));
        assertEq(escrow.hashReceipt(offerHash, used), digest(structHash));
    }

    function testFuzz_HashRelease(bytes32 offerHash) external view {
        bytes32 structHash = keccak256(abi.encode(keccak256("Release(bytes32 offerHash)"), offerHash));
        assertEq(escrow.hashRelease(offerHash), digest(structHash));
    }

    function testFuzz_HashConsent(bytes32 offerHash) external view {
        bytes32 structHash = keccak256(abi.encode(keccak256("Consent(bytes32 offerHash)"), offerHash));
        assertEq(escrow.hashConsent(offerHash), digest(structHash));
    }

    function testFuzz_HashExtension(bytes32 firstHash, bytes32 offerHash) external view {
        bytes32 structHash =
            keccak256(abi.encode(keccak256("Extension(bytes32 firstHash,bytes32 offerHash)"), firstHash, offerHash));
        assertEq(escrow.hashExtension(firstHash, offerHash), digest(structHash));
    }

    function test_TellsItsDomain() external view {
        (, string memory name, string memory version, uint256 chainId, address verifying,,) =
            IERC5267(address(escrow)).eip712Domain();
        assertEq(name, "ComputeHive RentalEscrow");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifying, address(escrow));
    }
}
