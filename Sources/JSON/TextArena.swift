import CSimdJSON

/// Texts that had to be decoded: columns point into it, so it must live as long as they do.
package final class TextArena: @unchecked Sendable {
    // Sendable: nothing changes in it any more.
    private let handle: OpaquePointer
    package let byteCount: Int

    /// - Parameter handle: from the extractor, owned from now on.
    init(owning handle: OpaquePointer) {
        self.handle = handle
        byteCount = pyra_text_arena_bytes(handle)
    }

    deinit { pyra_text_arena_destroy(handle) }
}
