/// A buffer of a body: what is to be copied of a producer's memory, and how.
///
/// It holds pointers into an array that must not be released before the body is written.
enum BodyBuffer {
    case empty
    case bytes(UnsafeRawBufferPointer)
    case bits(Bitmap)
    /// Offsets from which the first of them is taken away, since what they point into is cut to begin there.
    case offsets(UnsafeRawBufferPointer, ArrowType.OffsetWidth, first: Int)
    /// The one offset of an array without elements.
    case zeroOffset(ArrowType.OffsetWidth)

    var byteCount: Int {
        switch self {
        case .empty: 0
        case .bytes(let bytes): bytes.count
        case .bits(let bits): bits.byteCount
        case .offsets(let bytes, _, _): bytes.count
        case .zeroOffset(let width): width.rawValue
        }
    }

    /// - Precondition: there is room for `byteCount` bytes.
    func write(to target: UnsafeMutableRawPointer) {
        switch self {
        case .empty: break
        case .bytes(let bytes), .offsets(let bytes, _, first: 0):
            if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
        case .bits(let bits): bits.copy(to: target)
        case .offsets(let bytes, .narrow, let first):
            Self.rebase(bytes, by: Int32(truncatingIfNeeded: first), to: target)
        case .offsets(let bytes, .wide, let first): Self.rebase(bytes, by: Int64(first), to: target)
        case .zeroOffset(let width):
            target.initializeMemory(as: UInt8.self, repeating: 0, count: width.rawValue)
        }
    }

    private static func rebase<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ source: UnsafeRawBufferPointer, by first: Offset, to target: UnsafeMutableRawPointer
    ) {
        for position in stride(from: 0, to: source.count, by: MemoryLayout<Offset>.size) {
            let offset = source.loadUnaligned(fromByteOffset: position, as: Offset.self)
            target.storeBytes(of: offset &- first, toByteOffset: position, as: Offset.self)
        }
    }
}
