import CPlatform

/// A mutual-exclusion lock that owns the state it protects.
///
/// The state is reachable only inside `withLock`, so forgetting to lock does not compile. The lock word and
/// the state share one allocation whose address never changes, which a futex needs. Not recursive.
/// Public and inlinable, as are the other primitives of hot paths here: the compiler specialises across modules only what is.
/// Nothing may be called out to (callbacks, waits, system calls) while it is held.
@frozen public struct Lock<State: ~Copyable>: ~Copyable, @unchecked Sendable {
    // Sendable: `state` is touched only between `pyra_lock` and `pyra_unlock`.
    @usableFromInline let word: UnsafeMutablePointer<UInt32>
    @usableFromInline let state: UnsafeMutablePointer<State>

    /// Two locks never share a cache line: threads that use different ones would slow each other down.
    @usableFromInline static var cacheLineBytes: Int { 64 }

    public init(_ initial: consuming State) {
        let alignment = max(Self.cacheLineBytes, MemoryLayout<State>.alignment)
        let stateStart = max(8, MemoryLayout<State>.alignment)
        let size = (stateStart + MemoryLayout<State>.size + alignment - 1) / alignment * alignment
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignment)
        word = memory.bindMemory(to: UInt32.self, capacity: 1)
        word.initialize(to: 0)
        state = (memory + stateStart).bindMemory(to: State.self, capacity: 1)
        state.initialize(to: initial)
    }

    deinit {
        state.deinitialize(count: 1)
        UnsafeMutableRawPointer(word).deallocate()
    }

    @inlinable @inline(__always)
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pyra_lock(word)
        defer { pyra_unlock(word) }
        return try body(&state.pointee)
    }

    /// For code that must hold several locks at once, in a fixed order. Pair with `unlock()`.
    @inlinable public borrowing func lock() { pyra_lock(word) }
    @inlinable public borrowing func unlock() { pyra_unlock(word) }

    /// The state while the caller holds the lock through `lock()`.
    @inlinable @inline(__always)
    public borrowing func withLocked<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(&state.pointee)
    }
}
