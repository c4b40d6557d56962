// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAuditAnchor } from "./interfaces/IAuditAnchor.sol";

/// @title AuditAnchor
/// @notice See {IAuditAnchor}.
/// @dev Has no owner, holds no money and calls nobody. What is written is never changed.
contract AuditAnchor is IAuditAnchor {
    /// @dev By who wrote it, and by the log.
    mapping(address by => mapping(bytes32 origin => Anchored[] all)) private _anchors;

    /// @inheritdoc IAuditAnchor
    function anchor(bytes32 origin, uint64 size, bytes32 root) external {
        // Check: it grows
        Anchored[] storage all = _anchors[msg.sender][origin];
        uint256 known = all.length;
        uint64 newest = 0;
        if (known > 0) {
            Anchored storage last = all[known - 1];
            newest = last.size;
            if (newest == size && last.root == root) return;
        }
        if (size <= newest) revert NotLarger(newest, size);

        // Effect
        all.push(Anchored({ root: root, size: size }));
        emit NewlyAnchored(msg.sender, origin, size, root);
    }

    /// @inheritdoc IAuditAnchor
    function count(address by, bytes32 origin) external view returns (uint256) {
        return _anchors[by][origin].length;
    }

    /// @inheritdoc IAuditAnchor
    function at(address by, bytes32 origin, uint256 index) external view returns (uint64 size, bytes32 root) {
        Anchored storage one = _anchors[by][origin][index];
        return (one.size, one.root);
    }
}
