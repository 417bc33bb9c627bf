/// The type of a column, as the schema of a stream tells it (`Type` in Arrow's `Schema.fbs`).
enum ArrowType: Equatable {
    case null
    case bool
    case integer(bits: Int32, isSigned: Bool)
    case floatingPoint(bits: Int32)
    case decimal(precision: Int32, scale: Int32, bits: Int32)
    case text(Storage)
    case binary(Storage)
    case fixedBinary(bytes: Int32)
    case date(DateUnit)
    case time(TimeUnit)
    case timestamp(TimeUnit, timezone: String)
    case duration(TimeUnit)
    case interval(IntervalUnit)
    case list(OffsetWidth)
    case listView(OffsetWidth)
    case fixedList(elements: Int32)
    case structure
    case map(keysSorted: Bool)
    case union(isDense: Bool, ids: [Int32])

    /// Where the bytes of values of any length are.
    enum Storage { case offsets32, offsets64, views }

    /// The raw value is the width in bytes.
    enum OffsetWidth: Int { case narrow = 4, wide = 8 }

    // The raw values are those of `Schema.fbs`.
    enum DateUnit: Int16 { case day, millisecond }
    enum TimeUnit: Int16 { case second, millisecond, microsecond, nanosecond }
    enum IntervalUnit: Int16 { case yearMonth, dayTime, monthDayNano }

    /// How many children an array of it has; nil for any number.
    var childCount: Int? {
        switch self {
        case .structure: nil
        case .list, .listView, .fixedList, .map: 1
        case .union(_, let ids): ids.count
        default: 0
        }
    }
}
