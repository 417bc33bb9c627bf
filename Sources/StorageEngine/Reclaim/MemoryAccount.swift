import Synchronization

/// Memory charged to one log by kind, and through it to the server. Charged where memory is allocated and released,
/// a batch or an index page at a time, never per record.
package final class MemoryAccount: Sendable {
    private let payload = Atomic<Int>(0)
    private let index = Atomic<Int>(0)
    private let columns = Atomic<Int>(0)
    private let buffers = Atomic<Int>(0)
    private let pinned = Atomic<Int>(0)
    private let total = Atomic<Int>(0)
    private let parent: MemoryAccount?
    /// The budget's name in errors: a log's, or `server`.
    let name: String
    private let limit: Atomic<Int>

    package init(name: String, limitBytes: Int? = nil, parent: MemoryAccount? = nil) {
        self.name = name
        self.parent = parent
        limit = Atomic(limitBytes ?? Int.max)
    }

    package var totalBytes: Int { total.load(ordering: .relaxed) }
    package var limitBytes: Int { limit.load(ordering: .relaxed) }
    func setLimit(bytes: Int?) { limit.store(bytes ?? Int.max, ordering: .relaxed) }

    package func bytes(_ kind: MemoryKind) -> Int { counter(kind) { $0.load(ordering: .relaxed) } }

    func charge(_ kind: MemoryKind, _ bytes: Int) {
        counter(kind) { _ = $0.wrappingAdd(bytes, ordering: .relaxed) }
        total.wrappingAdd(bytes, ordering: .relaxed)
        parent?.charge(kind, bytes)
    }

    func release(_ kind: MemoryKind, _ bytes: Int) { charge(kind, 0 &- bytes) }

    /// Refuses a write that would need `bytes` more than is left.
    func admit(bytes: Int) throws(EngineError) {
        let used = totalBytes
        let (sum, overflow) = used.addingReportingOverflow(bytes)
        if overflow || sum > limitBytes {
            throw .memoryFull(budget: name, limit: limitBytes, used: used)
        }
        try parent?.admit(bytes: bytes)
    }

    private func counter<Result>(_ kind: MemoryKind, _ body: (borrowing Atomic<Int>) -> Result) -> Result {
        switch kind {
        case .payload: body(payload)
        case .index: body(index)
        case .columns: body(columns)
        case .buffers: body(buffers)
        case .pinned: body(pinned)
        }
    }
}
