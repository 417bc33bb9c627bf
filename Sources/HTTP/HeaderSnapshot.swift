/// The header fields of a request in one allocation, for requests that outlive their connection's buffers.
struct HeaderSnapshot: Sendable {
    /// Name, NUL, value, NUL, and so on: neither part can hold a NUL.
    private var bytes: [UInt8] = []

    mutating func append(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        bytes.append(contentsOf: name)
        bytes.append(0)
        bytes.append(contentsOf: value)
        bytes.append(0)
    }

    /// Calls `body` with the bytes of the first field of that name.
    func withValue<Result>(
        _ name: StaticString, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result? {
        try bytes.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let nameEnd = Self.terminator(in: bytes, from: start)
                let valueEnd = Self.terminator(in: bytes, from: nameEnd + 1)
                if ASCII.equalWithoutCase(UnsafeRawBufferPointer(rebasing: bytes[start..<nameEnd]), name) {
                    return try body(UnsafeRawBufferPointer(rebasing: bytes[(nameEnd + 1)..<valueEnd]))
                }
                start = valueEnd + 1
            }
            return nil
        }
    }

    private static func terminator(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count && bytes[index] != 0 { index += 1 }
        return min(index, bytes.count)
    }
}
