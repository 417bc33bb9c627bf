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

    public init(_ initial: consuming State) {
        word = .allocate(capacity: 1)
        word.initialize(to: 0)
        state = .allocate(capacity: 1)
        state.initialize(to: initial)
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
        word.deallocate()
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
