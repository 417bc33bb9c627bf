/// A table to be written: values by the number of their slot, which is the order of the fields in the `.fbs`
/// file.
///
///     let message: FlatTable = [0: .short(4), 1: .byte(3), 2: .table(header), 3: .long(bodyBytes)]
///
/// A union takes two slots: the number of its member, a byte, and the member's table. A slot that is left out
/// reads as the default of its field.
struct FlatTable: ExpressibleByDictionaryLiteral {
    enum Value {
        case byte(UInt8)
        case short(Int16)
        case int(Int32)
        case long(Int64)
        /// UTF-8, without the zero at its end.
        case string([UInt8])
        case table(FlatTable)
        case tables([FlatTable])
        case ints([Int32])
        /// A vector of longs, or of structures that consist of as many of them.
        case longs([Int64], perElement: Int)

        static func bool(_ value: Bool) -> Value { .byte(value ? 1 : 0) }

        /// The bytes that the value takes in the table itself; what lies elsewhere takes those of its offset.
        var inlineBytes: Int {
            switch self {
            case .byte: 1
            case .short: 2
            case .int, .string, .table, .tables, .ints, .longs: 4
            case .long: 8
            }
        }
    }

    struct Field {
        let slot: Int
        let value: Value
    }

    private(set) var fields: [Field] = []

    init() {}

    init(dictionaryLiteral elements: (Int, Value)...) {
        fields = elements.map { Field(slot: $0.0, value: $0.1) }
    }

    /// - Precondition: the slot has no value yet.
    mutating func set(_ slot: Int, _ value: Value) {
        fields.append(Field(slot: slot, value: value))
    }
}
