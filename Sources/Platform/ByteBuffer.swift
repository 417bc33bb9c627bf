/// Growable bytes at one owner, readable by several threads once nobody appends any more.
///
/// At least `padding` readable bytes follow the content, as vectorised JSON parsers require.
package final class ByteBuffer: @unchecked Sendable {
    // Sendable: one thread fills it, then it is only read; the hand-over is the owner's synchronisation.
    package static let padding = 64
    package private(set) var count = 0
    private var capacity: Int
    private var base: UnsafeMutableRawPointer

    package init(capacity: Int = 0) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity + Self.padding, alignment: 16)
        clearPadding()
    }

    package convenience init(_ bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count)
        let copied: Void? = bytes.withContiguousStorageIfAvailable { append(UnsafeRawBufferPointer($0)) }
        if copied == nil { Array(bytes).withUnsafeBytes { append($0) } }
    }

    deinit { base.deallocate() }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    package var array: [UInt8] { Array(bytes) }
    package var allocatedBytes: Int { capacity + Self.padding }

    package func reserve(_ wanted: Int) {
        guard wanted > capacity else { return }
        let grown = max(wanted, capacity * 2)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: grown + Self.padding, alignment: 16)
        fresh.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = fresh
        capacity = grown
        clearPadding()
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(count + bytes.count)
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
        clearPadding()
    }

    package func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    /// - Precondition: as many bytes were appended there.
    package func replace(at position: Int, with bytes: UnsafeRawBufferPointer) {
        precondition(position >= 0 && position + bytes.count <= count)
        if let start = bytes.baseAddress { (base + position).copyMemory(from: start, byteCount: bytes.count) }
    }

    /// Grows by so many zeros.
    package func appendZeros(_ number: Int) {
        reserve(count + number)
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: number)
        count += number
        clearPadding()
    }

    /// For changing what was appended in place.
    package var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: count)
    }

    /// Keeps the bytes from `start` on and moves them to the front.
    package func removePrefix(_ length: Int) {
        precondition(length >= 0 && length <= count)
        count -= length
        base.copyMemory(from: base + length, byteCount: count)
        clearPadding()
    }

    /// Drops what was appended behind so many bytes.
    package func truncate(to length: Int) {
        precondition(length >= 0 && length <= count)
        count = length
        clearPadding()
    }

    package func removeAll() {
        count = 0
        clearPadding()
    }

    private func clearPadding() {
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
    }
}
