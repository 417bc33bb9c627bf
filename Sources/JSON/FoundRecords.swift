/// The records that a parser has found since its last reset, column by column. Valid until its next call.
package struct FoundRecords {
    package let values: UnsafeBufferPointer<RecordSlice>
    /// Nil unless a key field was asked for. May be one longer than `values` after a failure.
    package let keys: UnsafeBufferPointer<RecordSlice>?
    /// Unix milliseconds; nil unless a timestamp field was asked for. May be one longer than `values` after a failure.
    package let timestamps: UnsafeBufferPointer<Int64>?
    /// Where slices that are not in the text lie.
    package let scratch: UnsafeRawBufferPointer

    package var count: Int { values.count }
}
