import Platform

/// One committed record: its metadata by value, its bytes in a batch that it keeps alive.
package struct Record: @unchecked Sendable {
    // Sendable: the bytes lie below the batch's committed count and never change.
    package let offset: Offset
    package let timestamp: Int64
    /// Time of arrival, which retention and `Last-Modified` go by.
    package let arrival: Int64
    /// `Deadline.never` without one.
    package let deadline: Int64
    package let type: RecordType
    package let priority: UInt8
    package let partition: Int
    let keyBytes: UnsafeRawBufferPointer
    package let hasKey: Bool
    /// Valid while this record, or `owner`, is alive.
    package let value: UnsafeRawBufferPointer
    let extrasBytes: UnsafeRawBufferPointer
    let batch: Batch

    /// Keeps `value` valid: hand it along with the pointer.
    package var owner: AnyObject { batch }
    /// Nil for a record without a key.
    package var key: [UInt8]? { hasKey ? Array(keyBytes) : nil }
    /// Valid while this record is alive; empty without a key.
    package var keyView: UnsafeRawBufferPointer { keyBytes }
    package var extras: RecordExtras { RecordExtras(decoding: extrasBytes) }
    package var hasExtras: Bool { extrasBytes.count > 0 }
}
