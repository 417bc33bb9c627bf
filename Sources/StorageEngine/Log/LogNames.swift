/// Names of logs: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
package enum LogNames {
    package static let bytesMax = 128

    /// Compared as bytes: strings that look equal to Swift may differ for a client.
    package static func isValid(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, bytes.count <= bytesMax else { return false }
        guard first != UInt8(ascii: "."), first != UInt8(ascii: "-") else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
