/// Sizes and durations as people write them: `4GB`, `512MiB`, `250ms`, `7d`.
package enum Units {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Bytes: a number alone or with B, kB MB GB TB (powers of 1000) or KiB MiB GiB TiB (powers of 1024).
    package static func bytes(_ text: String) throws(Failure) -> Int64 {
        let units: [(suffix: String, factor: Int64)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
            ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
            ("B", 1), ("", 1),
        ]
        return try scaled(
            text, units, expected: "a size such as 4096, \"512MiB\" or \"4GB\" (kB MB GB TB, KiB MiB GiB TiB)"
        )
    }

    /// Milliseconds: a number with ms, s, m, h or d; 0 needs no unit.
    package static func milliseconds(_ text: String) throws(Failure) -> Int64 {
        if text == "0" { return 0 }
        let units: [(suffix: String, factor: Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        return try scaled(
            text, units, expected: "a duration such as \"250ms\", \"10s\", \"5m\", \"1h\" or \"7d\"")
    }

    private static func scaled(
        _ text: String, _ units: [(suffix: String, factor: Int64)], expected: String
    ) throws(Failure) -> Int64 {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let value = product(of: text.utf8.dropLast(unit.suffix.utf8.count), unit.factor) else {
                break
            }
            return value
        }
        throw Failure(description: "is \"\(text)\"; expected \(expected)")
    }

    /// `12`, or `1.5` where the product is whole; nil for anything else and beyond 64 bits.
    private static func product(of digits: Substring.UTF8View, _ factor: Int64) -> Int64? {
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        var mantissa: Int64 = 0
        var divisor: Int64 = 1
        for (index, part) in parts.enumerated() {
            for byte in part {
                guard (0x30...0x39).contains(byte) else { return nil }
                let shifted = mantissa.multipliedReportingOverflow(by: 10)
                let added = shifted.partialValue.addingReportingOverflow(Int64(byte - 0x30))
                let scale = index == 0 ? (divisor, false) : divisor.multipliedReportingOverflow(by: 10)
                if shifted.overflow || added.overflow || scale.1 { return nil }
                mantissa = added.partialValue
                divisor = scale.0
            }
        }
        let result = mantissa.multipliedReportingOverflow(by: factor)
        guard !result.overflow, result.partialValue % divisor == 0 else { return nil }
        return result.partialValue / divisor
    }
}
