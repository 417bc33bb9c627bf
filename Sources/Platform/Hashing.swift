import CXXHash

/// XXH3, 64 bits. Seed 0 where the value is part of a format (partition of a key); a random seed per process in RAM tables.
@inlinable @inline(__always)
public func xxh3(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    pyra_xxh3(bytes.baseAddress, bytes.count, seed)
}
