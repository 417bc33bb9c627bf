/// Where a column goes: arrays of the caller's, indexed by row number minus the first row's.
package struct FieldOutput {
    /// An element a row, as the column's target says; zero bytes for a row without a value. Aligned to 8
    /// bytes.
    package let values: UnsafeMutableRawPointer
    /// A bit a row, 1: there is a value. 64 rows a word, the first row in the lowest bit.
    package let validity: UnsafeMutablePointer<UInt64>

    package init(values: UnsafeMutableRawPointer, validity: UnsafeMutablePointer<UInt64>) {
        self.values = values
        self.validity = validity
    }
}
