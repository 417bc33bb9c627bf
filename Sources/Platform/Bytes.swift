import Glibc

@inlinable @inline(__always)
public func equalBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else { return true }
    // Most keys: the first and the last eight bytes, which may overlap.
    if left.count >= 8, left.count <= 16 {
        let last = left.count &- 8
        return leftStart.loadUnaligned(as: UInt64.self) == rightStart.loadUnaligned(as: UInt64.self)
            && (leftStart + last).loadUnaligned(as: UInt64.self)
                == (rightStart + last).loadUnaligned(as: UInt64.self)
    }
    return memcmp(leftStart, rightStart, left.count) == 0
}

/// Byte order, a prefix before what it begins.
@inlinable
public func precedes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let common = min(left.count, right.count)
    if common > 0, let leftStart = left.baseAddress, let rightStart = right.baseAddress {
        let order = memcmp(leftStart, rightStart, common)
        if order != 0 { return order < 0 }
    }
    return left.count < right.count
}

/// Whether all bytes are 0.
public func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, let first = bytes.first else { return true }
    // Each byte equals the one after it.
    return first == 0 && (bytes.count == 1 || memcmp(start, start + 1, bytes.count - 1) == 0)
}

extension UnsafeRawBufferPointer {
    package static func == (bytes: UnsafeRawBufferPointer, text: StaticString) -> Bool {
        equalBytes(bytes, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
