import Platform
import StorageEngine

extension Revision {
    private static let epochDigits = 8
    /// Three digits of a partition, nineteen of an offset, eight of an epoch, two hyphens.
    private static let textBytesMax = 32

    /// The strong entity tag: the revision in double quotes.
    func writeEntityTag(to text: inout TextCursor) {
        text.write("\"")
        write(to: &text)
        text.write("\"")
    }

    /// What `text` says, without its intermediate strings.
    var fieldText: String {
        String(unsafeUninitializedCapacity: Self.textBytesMax) { bytes in
            var text = TextCursor(bytes)
            write(to: &text)
            return text.count
        }
    }

    func write(to text: inout TextCursor) {
        text.write(decimal: partition)
        text.write(byte: UInt8(ascii: "-"))
        text.write(decimal: Int(offset.rawValue))
        text.write(byte: UInt8(ascii: "-"))
        for digit in 0..<Self.epochDigits {
            let nibble = UInt8(
                truncatingIfNeeded: epoch.rawValue >> UInt32(4 * (Self.epochDigits - 1 - digit)) & 0xF)
            text.write(byte: nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
        }
    }
}

extension Record {
    func revision(in log: Log) -> Revision {
        Revision(partition: partition, offset: offset, epoch: log.epoch)
    }

    /// Unix seconds.
    var modifiedAtSeconds: Int64 { arrival / 1000 }

    /// The stored content type; nil for tombstones.
    var contentType: String? {
        type == .other ? extras.contentType ?? "application/octet-stream" : type.contentType
    }
}
