package enum ResponseBody: Sendable {
    case empty
    case bytes([UInt8])
    /// Bytes that stay valid while `owner` is retained; sent without a copy when large.
    case pinned(Pinned)
    case stream(any ResponseSource)

    package struct Pinned: @unchecked Sendable {
        // Sendable: the memory is immutable while the owner lives.
        package let bytes: UnsafeRawBufferPointer
        package let owner: AnyObject
        package init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) {
            self.bytes = bytes
            self.owner = owner
        }
    }
}
