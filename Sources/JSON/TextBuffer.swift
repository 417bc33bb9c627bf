/// Growing text under one owner. Each write checks the room once and then stores straight to memory: an answer of ten
/// members is some hundred small writes, which cost a third of what appending to an array does.
struct TextBuffer: ~Copyable {
    private(set) var count = 0
    private var capacity: Int
    private var base: UnsafeMutablePointer<UInt8>

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    var array: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Makes room for `additional` bytes.
    @inline(__always)
    mutating func reserve(_ additional: Int) {
        if capacity - count < additional { grow(additional) }
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Calls `write` with room for `additional` bytes; it returns how many it has written.
    @inline(__always)
    mutating func append(atMost additional: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        reserve(additional)
        let written = write(base + count)
        precondition(written >= 0 && written <= additional)
        count &+= written
    }

    /// Changes what was written from `start` on.
    mutating func withBytes(from start: Int, _ change: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(start >= 0 && start <= count)
        change(UnsafeMutableRawBufferPointer(start: base + start, count: count - start))
    }

    mutating func removeAll() { count = 0 }

    @inline(never)
    private mutating func grow(_ additional: Int) {
        let grown = max(capacity * 2, count + additional)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
        fresh.update(from: base, count: count)
        base.deallocate()
        base = fresh
        capacity = grown
    }
}
