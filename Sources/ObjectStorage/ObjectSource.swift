/// Bytes to store: of known length, and readable again from any offset, for a second attempt and for parts.
package struct ObjectSource: Sendable {
    package let length: Int
    /// Fills the buffer with the bytes from `offset` on; it is never asked for more than there is.
    package let read: @Sendable (_ offset: Int, _ buffer: UnsafeMutableRawBufferPointer) throws -> Void

    package init(
        length: Int,
        read: @escaping @Sendable (_ offset: Int, _ buffer: UnsafeMutableRawBufferPointer) throws -> Void
    ) {
        precondition(length >= 0)
        self.length = length
        self.read = read
    }

    package init(bytes: [UInt8]) {
        self.init(length: bytes.count) { offset, buffer in
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset...].prefix(buffer.count)))
            }
        }
    }

    /// Hands the bytes of a range on in order, each piece in the same memory.
    func forEachPiece(
        of range: Range<Int>, _ body: (_ offset: Int, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(Self.pieceBytes, max(range.count, 1)), alignment: 64)
        defer { memory.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let piece = UnsafeMutableRawBufferPointer(rebasing: memory.prefix(range.upperBound - offset))
            try read(offset, piece)
            try body(offset, UnsafeRawBufferPointer(piece))
            offset += piece.count
        }
    }

    static let pieceBytes = 1 << 20
}
