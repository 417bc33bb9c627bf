import CSimdJSON

package func isValidUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    pyra_json_is_utf8(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
}

package func isValidUTF8(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { isValidUTF8($0) }
}

/// Turns the line ends of valid JSON into spaces: inside its strings there are none.
package func compactLines(_ text: UnsafeMutableRawBufferPointer) {
    for index in text.indices where text[index] == UInt8(ascii: "\n") || text[index] == UInt8(ascii: "\r") {
        text[index] = UInt8(ascii: " ")
    }
}

/// Times as clients write them.
package enum Timestamps {
    /// Unix milliseconds of an RFC 3339 time; nil when it is none. Digits behind the millisecond are dropped.
    package static func parseRFC3339(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var milliseconds: Int64 = 0
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return pyra_json_time(start, bytes.count, &milliseconds) ? milliseconds : nil
    }

    package static func parseRFC3339(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { parseRFC3339(UnsafeRawBufferPointer($0)) }
    }
}
