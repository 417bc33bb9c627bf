import StorageEngine

extension Revision {
    private static let hexadecimal = Array("0123456789abcdef".utf8)
    private static let epochDigits = 8
    /// Three digits of a partition, nineteen of an offset, eight of an epoch, two hyphens.
    private static let textBytesMax = 32

    /// The strong entity tag: the revision in double quotes. What `text` writes, without its intermediate strings.
    var entityTag: String {
        String(unsafeUninitializedCapacity: Self.textBytesMax + 2) { bytes in
            bytes[0] = UInt8(ascii: "\"")
            let end = write(to: bytes, at: 1)
            bytes[end] = UInt8(ascii: "\"")
            return end + 1
        }
    }

    var fieldText: String {
        String(unsafeUninitializedCapacity: Self.textBytesMax) { write(to: $0, at: 0) }
    }

    private func write(to bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        var end = Self.writeDecimal(UInt64(max(partition, 0)), to: bytes, at: start)
        bytes[end] = UInt8(ascii: "-")
        end = Self.writeDecimal(UInt64(max(offset.rawValue, 0)), to: bytes, at: end + 1)
        bytes[end] = UInt8(ascii: "-")
        for digit in 0..<Self.epochDigits {
            let shift = UInt32(4 * (Self.epochDigits - 1 - digit))
            bytes[end + 1 + digit] = Self.hexadecimal[Int(epoch.rawValue >> shift & 0xF)]
        }
        return end + 1 + Self.epochDigits
    }

    private static func writeDecimal(
        _ number: UInt64, to bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) -> Int {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = number
        for index in stride(from: start + digits - 1, through: start, by: -1) {
            bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        return start + digits
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
