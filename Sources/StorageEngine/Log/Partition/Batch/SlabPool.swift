import Glibc
import Platform

/// Memory for batches and index pages: power-of-two slabs from 4 KiB to 1 MiB, larger ones mapped for themselves.
///
/// Slabs of 64 KiB (index pages) and 1 MiB (batches) are carved from 8 MiB regions of huge pages: a fault in the middle
/// of an append costs microseconds, and a look-up in small pages a page walk, so touched slabs are handed out first.
/// Free slabs beyond `warmBytesMax` of each size go back to the system.
package final class SlabPool: Sendable {
    static let smallestSlabBytes = 4 << 10
    static let indexSlabBytes = 64 << 10
    static let largestSlabBytes = 1 << 20
    private static let regionBytes = 8 << 20
    /// Slabs below this size come from malloc, which packs them well; above it a mapping of their own is returned whole.
    private static let mappedSlabBytesMin = 128 << 10
    private let warmBytesMax: Int

    /// Free slabs of one size.
    private struct FreeSlabs {
        /// Touched and ready.
        var warm: [UnsafeMutableRawPointer] = []
        /// Address space whose pages went back to the system, or were never touched.
        var cold: [UnsafeMutableRawPointer] = []
    }

    private struct State {
        var index = FreeSlabs()
        var largest = FreeSlabs()
        /// The mappings that slabs are carved from; they are unmapped with the pool.
        var regions: [UnsafeMutableRawPointer] = []
    }
    private let state = Lock(State())

    package init(warmBytesMax: Int = 64 << 20) {
        self.warmBytesMax = warmBytesMax
    }

    deinit {
        state.withLock { state in
            for region in state.regions { munmap(region, Self.regionBytes) }
        }
    }

    /// The bytes that `allocate` really takes for a wish.
    static func roundedBytes(_ wanted: Int) -> Int {
        if wanted > largestSlabBytes { return (wanted + 4095) & ~4095 }
        var bytes = smallestSlabBytes
        while bytes < wanted { bytes *= 2 }
        return bytes
    }

    /// 64-byte aligned memory with unspecified content.
    /// - Precondition: `bytes` is a value of `roundedBytes`.
    func allocate(bytes: Int) -> UnsafeMutableRawPointer {
        if let size = Self.carvedSize(bytes) { return allocate(size, bytes: bytes) }
        if bytes >= Self.mappedSlabBytesMin { return Self.map(bytes: bytes) }
        return .allocate(byteCount: bytes, alignment: 64)
    }

    func free(_ slab: UnsafeMutableRawPointer, bytes: Int) {
        if let size = Self.carvedSize(bytes) {
            free(slab, size, bytes: bytes)
        } else if bytes >= Self.mappedSlabBytesMin {
            munmap(slab, bytes)
        } else {
            slab.deallocate()
        }
    }

    private static func carvedSize(_ bytes: Int) -> WritableKeyPath<State, FreeSlabs>? {
        switch bytes {
        case indexSlabBytes: \.index
        case largestSlabBytes: \.largest
        default: nil
        }
    }

    private func allocate(_ size: WritableKeyPath<State, FreeSlabs>, bytes: Int) -> UnsafeMutableRawPointer {
        state.withLock { state in
            if let slab = state[keyPath: size].warm.popLast() ?? state[keyPath: size].cold.popLast() {
                return slab
            }
            let region = Self.map(bytes: Self.regionBytes, hugePages: true)
            state.regions.append(region)
            for index in (1..<Self.regionBytes / bytes).reversed() {
                state[keyPath: size].cold.append(region + index * bytes)
            }
            return region
        }
    }

    private func free(_ slab: UnsafeMutableRawPointer, _ size: WritableKeyPath<State, FreeSlabs>, bytes: Int)
    {
        let keepsWarm = state.withLock { state in
            guard state[keyPath: size].warm.count * bytes < warmBytesMax else { return false }
            state[keyPath: size].warm.append(slab)
            return true
        }
        if keepsWarm { return }
        madvise(slab, bytes, MADV_DONTNEED)
        state.withLock { $0[keyPath: size].cold.append(slab) }
    }

    private static func map(bytes: Int, hugePages: Bool = false) -> UnsafeMutableRawPointer {
        let alignment = hugePages ? 2 << 20 : 4096
        let wanted = bytes + (hugePages ? alignment : 0)
        let mapped = mmap(nil, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            preconditionFailure("the operating system refused \(wanted) bytes of memory (errno \(errno))")
        }
        guard hugePages else { return mapped }
        let start = Int(bitPattern: mapped)
        let aligned = (start + alignment - 1) & ~(alignment - 1)
        if aligned > start { munmap(mapped, aligned - start) }
        let excess = start + wanted - (aligned + bytes)
        let region = mapped + (aligned - start)
        if excess > 0 { munmap(region + bytes, excess) }
        madvise(region, bytes, MADV_HUGEPAGE)
        return region
    }
}
