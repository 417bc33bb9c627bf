import CPlatform

/// Begins to load memory that will be read soon, and waits for nothing. The memory need not even be there.
@inlinable @inline(__always)
public func prefetch(_ memory: UnsafeRawPointer, bytes: Int) {
    var place = 0
    while place < bytes {
        pyra_prefetch(memory + place)
        place &+= 64
    }
}

/// The same of an object's reference count and first fields.
@inlinable @inline(__always)
public func prefetch(_ object: AnyObject, bytes: Int) {
    prefetch(UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque()), bytes: bytes)
}
