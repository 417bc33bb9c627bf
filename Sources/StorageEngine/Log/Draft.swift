import Platform

/// Records on their way in: slices of the request's own bytes, column by column, nothing copied yet.
///
/// Optional columns are empty, or have an element for each record.
package struct Draft: Sendable {
    /// A range of `source`, or of `scratch` for decoded keys and the like. 8 bytes.
    package struct Slice: Sendable, Equatable {
        @usableFromInline let word: UInt32
        package let count: UInt32

        @inlinable package init(source start: UInt32, count: UInt32) {
            word = start & 0x7FFF_FFFF
            self.count = count
        }
        @inlinable package init(scratch start: UInt32, count: UInt32) {
            word = start | 0x8000_0000
            self.count = count
        }
        private init() {
            word = .max
            count = 0
        }
        /// No key; no headers.
        package static let absent = Slice()
        package var isAbsent: Bool { word == .max }
        var isScratch: Bool { word & 0x8000_0000 != 0 }
        var start: Int { Int(word & 0x7FFF_FFFF) }
    }

    package let source: ByteBuffer
    package var scratch: ByteBuffer
    package var values: [Slice] = []
    package var keys: [Slice] = []
    /// Empty: all JSON.
    package var types: [RecordType] = []
    /// Unix milliseconds; `timeOfArrival` takes the clock's.
    package var timestamps: [Int64] = []
    /// Unix milliseconds; see `Deadline`. Empty: the log's default.
    package var deadlines: [Int64] = []
    package var priorities: [UInt8] = []
    /// Encoded `RecordExtras`.
    package var extras: [Slice] = []
    /// -1: by key, or round robin for the whole draft. Empty: all so.
    package var partitions: [Int32] = []

    package static let timeOfArrival = Int64.min

    package init(source: ByteBuffer, scratch: ByteBuffer = ByteBuffer()) {
        self.source = source
        self.scratch = scratch
    }

    package var count: Int { values.count }
}

/// Deadlines in drafts and batches, in Unix milliseconds.
package enum Deadline {
    /// In a draft: now plus the log's `ttl_ms`, or never without one.
    package static let logDefault: Int64 = 0
    package static let never = Int64.max
}

package struct AppendOptions: Sendable {
    /// All records go there; nil: by key, or round robin.
    package var partition: Int?
    /// Append only if the partition's tail is this.
    package var matchOffset: Offset?
    package var acknowledgement: Acknowledgement?
    package var producer: ProducerStamp?
    /// What becomes durable together with the records, once it is known where they are.
    package var receipt: (@Sendable (AppendResult) -> ReceiptRecord?)?
    package init() {}
}

package struct OffsetRange: Sendable, Equatable {
    package let partition: Int
    package let start: Offset
    /// Exclusive.
    package let end: Offset

    package init(partition: Int, start: Offset, end: Offset) {
        self.partition = partition
        self.start = start
        self.end = end
    }
}

package struct AppendResult: Sendable, Equatable {
    package let count: Int
    package let ranges: [OffsetRange]
    package let requested: Acknowledgement
    package let achieved: Acknowledgement
    /// A producer's repeated sequence: nothing was appended, the ranges are the first answer's.
    package let isDuplicate: Bool
    package let epoch: Epoch
}

/// Identifies one call of an idempotent producer.
package struct ProducerStamp: Sendable, Equatable {
    package let id: String
    package let epoch: Int64
    package let sequence: Int64
    package init(id: String, epoch: Int64, sequence: Int64) {
        self.id = id
        self.epoch = epoch
        self.sequence = sequence
    }
}
