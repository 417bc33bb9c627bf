/// Little-endian fields of files and log entries, one behind the other.
extension ByteBuffer {
    package func append<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { append($0) }
    }

    /// With its length before it.
    package func append(counted bytes: UnsafeRawBufferPointer) {
        append(UInt32(bytes.count))
        append(bytes)
    }

    package func append(counted bytes: [UInt8]) { bytes.withUnsafeBytes { append(counted: $0) } }
    package func append(counted text: String) { append(counted: Array(text.utf8)) }

    /// Zeros up to a multiple of `alignment`.
    package func pad(to alignment: Int) {
        appendZeros((alignment - count % alignment) % alignment)
    }

    /// Overwrites what was appended before.
    package func store<Integer: FixedWidthInteger>(_ value: Integer, at position: Int) {
        withUnsafeBytes(of: value.littleEndian) { replace(at: position, with: $0) }
    }
}

/// Reads such fields. Total: any bytes may be given to it, which must outlive it.
package struct BinaryReader {
    /// The bytes end, or say something that cannot be.
    package struct Malformed: Error, Equatable { package init() {} }

    private let bytes: UnsafeRawBufferPointer
    package private(set) var position = 0

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    package var remaining: Int { bytes.count - position }

    package mutating func integer<Integer: FixedWidthInteger>(
        _: Integer.Type = Integer.self
    ) throws(Malformed) -> Integer {
        let field = try take(MemoryLayout<Integer>.size)
        return Integer(littleEndian: field.loadUnaligned(as: Integer.self))
    }

    /// A count or a position, which must not be negative.
    package mutating func count() throws(Malformed) -> Int {
        let value = try integer(Int64.self)
        guard value >= 0 else { throw Malformed() }
        return Int(value)
    }

    package mutating func take(_ count: Int) throws(Malformed) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw Malformed() }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    package mutating func counted() throws(Malformed) -> UnsafeRawBufferPointer {
        try take(Int(try integer(UInt32.self)))
    }

    package mutating func text() throws(Malformed) -> String {
        guard let text = String(validating: try counted(), as: UTF8.self) else { throw Malformed() }
        return text
    }

    package mutating func skipPadding(to alignment: Int) throws(Malformed) {
        _ = try take((alignment - position % alignment) % alignment)
    }
}
