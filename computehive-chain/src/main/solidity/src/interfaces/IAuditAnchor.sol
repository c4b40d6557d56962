// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAuditAnchor
/// @notice Remembers what audit logs were (RFC 6962), so that a history that was rewritten is seen to be another.
///
/// Each account writes a list of its own for each log: nobody can write into another's, or stand in its way. Whether
/// one entry continues another is not checked here: who has the log's entries does.
interface IAuditAnchor {
    /// @notice What a log was.
    /// @param root The root of its tree then.
    /// @param size How many entries it had.
    struct Anchored {
        bytes32 root;
        uint64 size;
    }

    /// @notice Thrown when a log is no larger than what is anchored of it already, or has no entry.
    /// @param newest The size that was anchored last; 0 for none.
    /// @param size The size that came.
    error NotLarger(uint64 newest, uint64 size);

    /// @notice Tells that something was anchored.
    /// @param by Who anchored it.
    /// @param origin The SHA-256 of the log's origin.
    /// @param size How many entries the log had.
    /// @param root The root of its tree then.
    event NewlyAnchored(address indexed by, bytes32 indexed origin, uint64 size, bytes32 root);

    /// @notice Remembers, for the caller, what a log is now. The same as the newest changes nothing.
    /// @param origin The SHA-256 of the log's origin.
    /// @param size How many entries it has; more than when it was anchored last.
    /// @param root The root of its tree.
    function anchor(bytes32 origin, uint64 size, bytes32 root) external;

    /// @notice Returns how often an account has anchored a log.
    /// @param by Who anchored it.
    /// @param origin The SHA-256 of the log's origin.
    /// @return How many entries its list has.
    function count(address by, bytes32 origin) external view returns (uint256);

    /// @notice Returns what an account has anchored of a log.
    /// @param by Who anchored it.
    /// @param origin The SHA-256 of the log's origin.
    /// @param index Which entry of its list, the smallest size first.
    /// @return size How many entries the log had.
    /// @return root The root of its tree then.
    function at(address by, bytes32 origin, uint256 index) external view returns (uint64 size, bytes32 root);
}
