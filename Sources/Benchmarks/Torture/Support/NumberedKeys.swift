import Platform
import StorageEngine

// Keys that are numbers: eight bytes.
extension Log {
    @inline(__always)
    func put(_ key: Int, _ value: RawSpan, _ options: PutOptions = PutOptions()) throws -> PutResult {
        try withUnsafeBytes(of: UInt64(key)) { try put(key: $0.bytes, value: value, options).decided() }
    }

    func delete(_ key: Int) throws -> PutResult {
        try withUnsafeBytes(of: UInt64(key)) {
            try delete(key: $0.bytes, condition: .none, acknowledgement: nil).decided()
        }
    }

    func record(_ key: Int) -> Record? {
        // Only an archive refuses, and there is none.
        withUnsafeBytes(of: UInt64(key)) { try? get(key: $0.bytes) }
    }

    @inline(__always)
    func withValue(_ key: Int, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        withUnsafeBytes(of: UInt64(key)) { withValue(key: $0.bytes, body) }
    }

    func holds(_ key: Int) -> Bool { withValue(key) { _ in } }

    /// What eviction can act on.
    var dataBytes: Int { memoryBytes(.payload) + memoryBytes(.index) + memoryBytes(.columns) }

    var chargedBytes: Int { MemoryKind.allCases.reduce(0) { $0 + memoryBytes($1) } }
}

extension Outcome {
    /// The result of a write in memory mode, which never waits.
    @inline(__always)
    func decided() throws -> Value {
        guard case .done(let value) = self else { throw Failure("a write in memory mode waits") }
        return value
    }
}

/// The bytes of a key that is a number.
func bytes(_ key: Int) -> [UInt8] { withUnsafeBytes(of: UInt64(key)) { Array($0) } }
