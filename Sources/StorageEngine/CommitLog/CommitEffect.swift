import Platform

/// What an entry does beside its rows. Effects, never conditions: doing one twice, in order, changes nothing.
enum CommitEffect: Sendable {
    /// It exists, and is this from now on.
    case describeLog(LogDescription)
    case updateLog(LogID, LogConfiguration)
    case deleteLog(LogID)
    /// Nothing below `before` is readable any more.
    case trim(LogID, partition: Int, before: Int64)
    case producer(LogID, ProducerCall)
    case receipt(ReceiptRecord)
}

extension CommitEffect {
    /// Worked out when the entry is written: making the answer takes longer than a lock should be held.
    static func lateReceipt<Value: Sendable>(
        _ make: (@Sendable (Value) -> ReceiptRecord?)?, _ value: Value
    ) -> (@Sendable () -> CommitEffect?)? {
        guard let make else { return nil }
        return { make(value).map { CommitEffect.receipt($0) } }
    }
}

/// Names a log on disk, where names may come again.
struct LogID: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt64
}

/// What a log is, apart from its records.
struct LogDescription: Sendable, Equatable {
    let id: LogID
    let name: String
    var epoch: Epoch
    var configuration: LogConfiguration
    /// It is being restored: nobody sees it, and unless it is described again without this, it never was.
    var isIncoming = false
}

/// One call of an idempotent producer and what it wrote.
package struct ProducerCall: Sendable, Equatable {
    package let stamp: ProducerStamp
    package let ranges: [OffsetRange]
    /// Of the producer's last call, in Unix milliseconds.
    package let time: Int64

    package init(stamp: ProducerStamp, ranges: [OffsetRange], time: Int64) {
        self.stamp = stamp
        self.ranges = ranges
        self.time = time
    }
}

/// The answer of a request with an idempotency key.
package struct ReceiptRecord: Sendable, Equatable {
    let scope: [UInt8]
    let digest: [UInt8]
    let expiresAt: Int64
    let answer: IdempotencyReceipts.Answer
}
