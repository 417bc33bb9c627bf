import CSimdJSON

/// Some rows of a batch: their values back to back in one buffer, which must stay where it is while it is
/// read and for as long as texts point into it.
package struct FieldRows {
    package let values: UnsafeRawBufferPointer
    /// One more than the batch has rows: value i is `values[offsets[i]..<offsets[i + 1]]`.
    package let offsets: UnsafeBufferPointer<Int32>
    /// 0 for JSON, anything else for other bytes; nil when all rows are JSON.
    package let types: UnsafeBufferPointer<UInt8>?
    package let range: Range<Int>

    package init(
        values: UnsafeRawBufferPointer, offsets: UnsafeBufferPointer<Int32>,
        types: UnsafeBufferPointer<UInt8>? = nil, range: Range<Int>
    ) {
        precondition(range.lowerBound >= 0 && range.upperBound < max(offsets.count, 1))
        precondition(types.map { range.upperBound <= $0.count } ?? true)
        self.values = values
        self.offsets = offsets
        self.types = types
        self.range = range
    }

    /// Calls with the rows as C wants them; not at all when there are none, as an empty buffer has no
    /// address.
    func withRows(_ body: (UnsafePointer<pyra_field_rows>) -> Void) {
        guard !range.isEmpty, let offsets = offsets.baseAddress else { return }
        var rows = pyra_field_rows(
            values: values.baseAddress?.assumingMemoryBound(to: UInt8.self), values_count: values.count,
            offsets: offsets, types: types?.baseAddress, from: range.lowerBound, to: range.upperBound)
        body(&rows)
    }
}
