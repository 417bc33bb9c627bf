import ObjectStorage
import Platform

/// Objects in memory, for tests that make a store fail or lie at any call.
final class MemoryStore: ObjectStore {
    enum Call: Equatable { case put, get, list, delete }

    private struct State {
        var objects: [String: [UInt8]] = [:]
        var calls = 0
    }
    private let state = Lock(State())
    let location = "memory"
    /// Is asked before each call with its number; what it throws is thrown.
    private let before: @Sendable (_ number: Int, Call, _ key: String) throws(ObjectStoreFailure) -> Void

    init(
        _ before: @escaping @Sendable (Int, Call, String) throws(ObjectStoreFailure) -> Void = {
            _, _, _ throws(ObjectStoreFailure) in
        }
    ) { self.before = before }

    var keys: [String] { state.withLock { $0.objects.keys.sorted() } }
    var calls: Int { state.withLock { $0.calls } }

    func change(_ key: String, _ change: (inout [UInt8]) -> Void) {
        state.withLock { state in
            var bytes = state.objects[key] ?? []
            change(&bytes)
            state.objects[key] = bytes
        }
    }

    func copyObjects(to other: MemoryStore) {
        let objects = state.withLock { $0.objects }
        other.state.withLock { $0.objects = objects }
    }

    private func begin(_ call: Call, _ key: String) throws(ObjectStoreFailure) {
        let number = state.withLock { state in
            state.calls += 1
            return state.calls
        }
        try before(number, call, key)
    }

    func put(_ key: String, _ source: ObjectSource) throws(ObjectStoreFailure) {
        try begin(.put, key)
        var bytes = [UInt8](repeating: 0, count: source.length)
        do { try bytes.withUnsafeMutableBytes { try source.read(0, $0) } } catch {
            throw ObjectStoreFailure(.source, location, key, "\(error)")
        }
        state.withLock { $0.objects[key] = bytes }
    }

    func get(
        _ key: String, range: Range<Int>?, _ receive: (UnsafeRawBufferPointer) throws -> Void
    ) throws(ObjectStoreFailure) {
        try begin(.get, key)
        guard let bytes = state.withLock({ $0.objects[key] }) else {
            throw ObjectStoreFailure(.notFound, location, key, "there is no such object")
        }
        let range = range ?? 0..<bytes.count
        guard range.upperBound <= bytes.count else {
            throw ObjectStoreFailure(.corrupt, location, key, "it ends before byte \(range.upperBound)")
        }
        do { try bytes.withUnsafeBytes { try receive(UnsafeRawBufferPointer(rebasing: $0[range])) } } catch {
            throw ObjectStoreFailure(.receiver, location, key, "\(error)", cause: error)
        }
    }

    func size(of key: String) throws(ObjectStoreFailure) -> Int? { state.withLock { $0.objects[key]?.count } }

    func list(prefix: String, _ receive: ([ObjectEntry]) throws -> Void) throws(ObjectStoreFailure) {
        try begin(.list, prefix)
        let found = state.withLock { state in
            state.objects.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
        }
        let entries = found.map { ObjectEntry(key: $0.key, bytes: $0.value.count) }
        do { if !entries.isEmpty { try receive(entries) } } catch {
            throw ObjectStoreFailure(.receiver, location, prefix, "\(error)", cause: error)
        }
    }

    func delete(_ key: String) throws(ObjectStoreFailure) {
        try begin(.delete, key)
        state.withLock { _ = $0.objects.removeValue(forKey: key) }
    }

    func cancelled(when isCancelled: @escaping @Sendable () -> Bool) -> any ObjectStore { self }
}
