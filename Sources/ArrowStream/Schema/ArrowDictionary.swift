/// The values that the indices of a column stand for, sent in messages of their own.
final class ArrowDictionary {
    /// Unique within a stream.
    let id: Int64
    /// Whether the order of the values means something.
    let isOrdered: Bool
    let values: ArrowField

    init(id: Int64, isOrdered: Bool, values: ArrowField) {
        self.id = id
        self.isOrdered = isOrdered
        self.values = values
    }
}
