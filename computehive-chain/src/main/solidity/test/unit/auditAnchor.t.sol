// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";

import { AuditAnchor } from "../../src/AuditAnchor.sol";
import { IAuditAnchor } from "../../src/interfaces/IAuditAnchor.sol";

contract AuditAnchorTest is Test {
    address internal constant ALICE = address(0xA11CE);
    address internal constant MALLORY = address(0xBAD);
    bytes32 internal constant LOG = keccak256("log");
    bytes32 internal constant OTHER = keccak256("other log");

    AuditAnchor internal anchors;

    function setUp() public {
        anchors = new AuditAnchor();
    }

    function write(address by, bytes32 origin, uint64 size, bytes32 root) internal {
        vm.prank(by);
        anchors.anchor(origin, size, root);
    }

    function check(address by, bytes32 origin, uint256 index, uint64 size, bytes32 root) internal view {
        (uint64 writtenSize, bytes32 writtenRoot) = anchors.at(by, origin, index);
        assertEq(writtenSize, size);
        assertEq(writtenRoot, root);
    }

    function test_Anchor_KeepsEachSizeAndTells() external {
        vm.expectEmit();
        emit IAuditAnchor.NewlyAnchored(ALICE, LOG, 3, "a");
        write(ALICE, LOG, 3, "a");
        write(ALICE, LOG, type(uint64).max, "b");
        assertEq(anchors.count(ALICE, LOG), 2);
        check(ALICE, LOG, 0, 3, "a");
        check(ALICE, LOG, 1, type(uint64).max, "b");
    }

    function test_Anchor_TheSameAgainChangesNothing() external {
        write(ALICE, LOG, 3, "a");
        vm.recordLogs();
        write(ALICE, LOG, 3, "a");
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(anchors.count(ALICE, LOG), 1);
    }

    function test_RevertWhen_AnotherRootOfTheSameSize() external {
        write(ALICE, LOG, 3, "a");
        vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotLarger.selector, 3, 3));
        write(ALICE, LOG, 3, "b");
    }

    function test_RevertWhen_TheLogIsSmallerOrEmpty(uint64 size) external {
        vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotLarger.selector, 0, 0));
        write(ALICE, LOG, 0, "a");
        size = uint64(bound(size, 1, type(uint64).max));
        write(ALICE, LOG, size, "a");
        vm.expectRevert(abi.encodeWithSelector(IAuditAnchor.NotLarger.selector, size, size - 1));
        write(ALICE, LOG, size - 1, "a");
    }

    function test_Anchor_ListsOfOthersAndOfOtherLogsAreApart() external {
        write(MALLORY, LOG, type(uint64).max, "x");
        write(ALICE, OTHER, 9, "y");
        write(ALICE, LOG, 3, "a");
        assertEq(anchors.count(ALICE, LOG), 1);
        check(ALICE, LOG, 0, 3, "a");
        check(MALLORY, LOG, 0, type(uint64).max, "x");
    }

    function test_RevertWhen_ThereIsNoSuchEntry() external {
        vm.expectRevert();
        anchors.at(ALICE, LOG, 0);
    }
}
