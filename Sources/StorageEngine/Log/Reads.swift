package enum ReadStart: Sendable, Equatable {
    case firstKept
    case offset(Offset)
    /// The lowest offset whose timestamp is at or after this, Unix milliseconds.
    case timestamp(Int64)
    /// The last N kept records; 0: only what comes.
    case last(Int)
}

package struct ReadResult: Sendable {
    package let records: [Record]
    /// Where the next read goes on; holes are already skipped.
    package let next: Offset
    /// The next offset to be given to a record.
    package let tail: Offset
    package let first: Offset
}

package struct KeyListing: Sendable {
    /// The newest live record of each key, in byte order of the keys.
    package let records: [Record]
    package let hasMore: Bool
}

package struct PartitionStatistics: Sendable {
    package let first: Offset
    package let tail: Offset
    /// Rows readable by offset.
    package let records: Int
    /// Rows that are the newest of their key, or have none.
    package let liveRecords: Int
    /// Memory charged to the partition.
    package let memoryBytes: Int
    /// Of its batches, what lies in segments.
    package let diskBytes: Int
    /// Those whose values are in the archive, and what they take there.
    package let archivedBatches: Int
    package let archivedBytes: Int
    package let evicted: Int
    package let expired: Int
    package let trimmed: Int
    package let appended: Int
    package let appendedBytes: Int
    package let keys: Int
    /// Of the keys, those that are found on disk and take no memory.
    package let coldKeys: Int
}

package enum MemoryKind: String, Sendable, CaseIterable { case payload, index, columns, buffers, pinned }
