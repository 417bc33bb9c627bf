import Platform

/// The place of a record in its partition; the first is 0, none is ever reused within an epoch.
package struct Offset: RawRepresentable, Comparable, Hashable, Sendable {
    package let rawValue: Int64
    @inlinable package init(rawValue: Int64) { self.rawValue = rawValue }
    @inlinable package init(_ rawValue: Int64) { self.rawValue = rawValue }
    @inlinable package static func < (left: Offset, right: Offset) -> Bool { left.rawValue < right.rawValue }
    package static let zero = Offset(0)
}

/// Names one life of a log: new whenever earlier positions may be void, so that old revisions never match other data.
package struct Epoch: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static func random() -> Epoch { Epoch(rawValue: UInt32.random(in: 1...UInt32.max)) }

    /// Eight lower-case hexadecimal digits.
    package var text: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// A record's place in its log: `<partition>-<offset>-<epoch>`. The revision of a key is that of its newest record.
package struct Revision: Hashable, Sendable {
    package let partition: Int
    package let offset: Offset
    package let epoch: Epoch

    package init(partition: Int, offset: Offset, epoch: Epoch) {
        self.partition = partition
        self.offset = offset
        self.epoch = epoch
    }

    /// Nil unless the text is exactly what `text` writes.
    package init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].utf8.count == 8,
            let partition = Int(parts[0]), partition >= 0, partition < LogConfiguration.partitionsMax,
            let offset = Int64(parts[1]), offset >= 0,
            let epoch = UInt32(parts[2], radix: 16)
        else { return nil }
        self.init(partition: partition, offset: Offset(offset), epoch: Epoch(rawValue: epoch))
        guard self.text == text else { return nil }
    }

    package var text: String { "\(partition)-\(offset.rawValue)-\(epoch.text)" }
}
