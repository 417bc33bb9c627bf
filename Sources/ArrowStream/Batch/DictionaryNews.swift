/// The dictionaries of a batch that differ from what a reader has.
struct DictionaryNews {
    /// The last message of each dictionary, by number.
    private(set) var sent: [Int64: [UInt8]]
    /// The messages to be sent before the batch.
    private(set) var messages: [UInt8] = []

    init(sent: [Int64: [UInt8]]) { self.sent = sent }

    /// - Returns: whether any of them had to be sent.
    @discardableResult
    mutating func append(
        _ dictionaries: [(dictionary: ArrowDictionary, values: ArrowSlice)]
    ) throws(ArrowStreamFailure) -> Bool {
        var isAnyNew = false
        for (dictionary, values) in dictionaries {
            let plan = try BatchPlan.column(values)
            // Values that have a dictionary themselves: a reader puts them together once it has that one, so
            // when it is new, these are sent again behind it.
            let isNewBelow = try append(plan.dictionaries)
            let message = try StreamMessage.dictionary(dictionary, plan)
            guard isNewBelow || sent[dictionary.id] != message else { continue }
            messages += message
            sent[dictionary.id] = message
            isAnyNew = true
        }
        return isAnyNew
    }
}
