/// Sizes and durations as configuration may write them: `"512MiB"`, `"10s"`.
package enum Quantity {
    package static let sizeUnits: [(suffix: String, factor: Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]
    package static let durationUnits: [(suffix: String, factor: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Bytes; a number without a unit is bytes. Nil when it is no size or does not fit.
    package static func bytes(_ text: String) -> Int64? { parse(text, units: sizeUnits) }

    /// Milliseconds; a number without a unit is milliseconds. Nil when it is no duration or does not fit.
    package static func milliseconds(_ text: String) -> Int64? { parse(text, units: durationUnits) }

    private static func parse(_ text: String, units: [(suffix: String, factor: Int64)]) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        let suffix = text[digits.endIndex...]
        guard let count = Int64(digits) else { return nil }
        if suffix.isEmpty { return count }
        guard let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit.factor)
        return overflow ? nil : product
    }
}
