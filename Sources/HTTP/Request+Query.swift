extension Request {
    /// All query parameters in order, decoded (`+` is a space), as bytes; a parameter without `=` has an empty value.
    /// - Throws: `HTTPFailure.badPercentEncoding`.
    package func query() throws(HTTPFailure) -> [(name: [UInt8], value: [UInt8])] {
        guard let mark = target.firstIndex(of: UInt8(ascii: "?")), mark + 1 < target.count else { return [] }
        let result: [(name: [UInt8], value: [UInt8])]? = target.withUnsafeBytes { bytes in
            var parameters: [(name: [UInt8], value: [UInt8])] = []
            var start = mark + 1
            while start < bytes.count {
                let end = Self.position(of: UInt8(ascii: "&"), in: bytes, from: start, to: bytes.count)
                let equals = Self.position(of: UInt8(ascii: "="), in: bytes, from: start, to: end)
                if end > start {
                    let valueStart = min(equals + 1, end)
                    guard
                        let name = PercentCoding.decode(
                            UnsafeRawBufferPointer(rebasing: bytes[start..<equals]), plusIsSpace: true),
                        let value = PercentCoding.decode(
                            UnsafeRawBufferPointer(rebasing: bytes[valueStart..<end]), plusIsSpace: true)
                    else { return nil }
                    parameters.append((name, value))
                }
                start = end + 1
            }
            return parameters
        }
        guard let result else { throw .badPercentEncoding(where: "query") }
        return result
    }

    private static func position(
        of byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int
    ) -> Int {
        var index = start
        while index < end && bytes[index] != byte { index += 1 }
        return index
    }
}
