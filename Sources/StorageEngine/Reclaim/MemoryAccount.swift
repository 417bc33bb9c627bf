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
    /// Of `buffers`, what queries take.
    private let queries = Atomic<Int>(0)
    let parent: MemoryAccount?
    /// The budget's name in errors: a log's, or `server`.
    let name: String
    private let limit: Atomic<Int>
    private let watermark: Atomic<Int>

    /// - Parameter watermark: the share of the limit at which data begins to give way.
    package init(
        name: String, limitBytes: Int? = nil, watermark: Double = 0.9, parent: MemoryAccount? = nil
    ) {
        self.name = name
        self.parent = parent
        limit = Atomic(limitBytes ?? Int.max)
        self.watermark = Atomic(Self.share(watermark, of: limitBytes))
    }

    package var totalBytes: Int { total.load(ordering: .relaxed) }
    package var limitBytes: Int { limit.load(ordering: .relaxed) }
    /// `Int.max` without a limit.
    var watermarkBytes: Int { watermark.load(ordering: .relaxed) }
    /// How far data gives way once it is over the watermark: five points of the server's limit below it, so that it is
    /// not at it all the time; one of a log's, whose memory is to be used.
    var lowMarkBytes: Int {
        limitBytes == Int.max ? Int.max : max(0, watermarkBytes - limitBytes / (parent == nil ? 20 : 100))
    }

    func setLimit(bytes: Int?, watermark share: Double) {
        limit.store(bytes ?? Int.max, ordering: .relaxed)
        watermark.store(Self.share(share, of: bytes), ordering: .relaxed)
    }

    private static func share(_ share: Double, of limit: Int?) -> Int {
        guard let limit else { return Int.max }
        // At most the limit, which was an `Int`.
        return Int(min(Double(limit), share * Double(limit)).nextDown)
    }

    package func bytes(_ kind: MemoryKind) -> Int { counter(kind) { $0.load(ordering: .relaxed) } }

    /// What eviction can act on: neither what readers hold nor what the network has in flight.
    package var dataBytes: Int { bytes(.payload) &+ bytes(.index) &+ bytes(.columns) }

    /// Of the server: what readers hold of batches that are gone passes a twentieth of the limit, or what the network
    /// has in flight its share.
    var holdsTooMuch: Bool { bytes(.pinned) > limitBytes / 20 || networkBytes > bufferBytesMax }

    /// What connections, bodies and answers take.
    package var networkBytes: Int { bytes(.buffers) &- queries.load(ordering: .relaxed) }

    package func chargeQueries(_ bytes: Int) {
        queries.wrappingAdd(bytes, ordering: .relaxed)
        charge(.buffers, bytes)
    }

    /// What connections, bodies and answers may take before the slowest is ended.
    package var bufferBytesMax: Int { max(limitBytes / 10, min(64 << 20, limitBytes / 2)) }

    /// Data of this budget, or of the one above it, is past its watermark.
    @inline(__always)
    var isOverWatermark: Bool {
        dataBytes > watermarkBytes
            || parent.map { $0.dataBytes > $0.watermarkBytes || $0.holdsTooMuch } ?? false
    }

    /// There is room, here and above, for what can be made again.
    package var isWithinWatermark: Bool {
        dataBytes <= watermarkBytes && (parent?.isWithinWatermark ?? true)
    }

    /// What is left of the limit, here and above.
    var freeBytes: Int { max(0, min(limitBytes - totalBytes, parent?.freeBytes ?? Int.max)) }

    var isOverLimit: Bool { missingBytes(for: 0) > 0 || parent?.isOverLimit ?? false }

    package func charge(_ kind: MemoryKind, _ bytes: Int) {
        counter(kind) { _ = $0.wrappingAdd(bytes, ordering: .relaxed) }
        total.wrappingAdd(bytes, ordering: .relaxed)
        parent?.charge(kind, bytes)
    }

    package func release(_ kind: MemoryKind, _ bytes: Int) { charge(kind, 0 &- bytes) }

    /// Refuses a write that would need `bytes` more than is left.
    func admit(bytes: Int) throws(EngineError) {
        try admitHere(bytes: bytes)
        try parent?.admit(bytes: bytes)
    }

    /// By this budget alone.
    func admitHere(bytes: Int) throws(EngineError) {
        if missingBytes(for: bytes) > 0 {
            throw .memoryFull(budget: name, limit: limitBytes, used: totalBytes, needed: bytes)
        }
    }

    /// By how much the limit would be passed with `bytes` more; 0 when they fit now.
    func missingBytes(for bytes: Int) -> Int {
        // What readers of a log hold after the log let it go is the server's to bound.
        excess(of: parent == nil ? totalBytes : dataBytes, bytes, over: limitBytes)
    }

    /// How much of that data may be asked to give way for: what readers hold and the network has in flight bound
    /// themselves, so below the watermark no data goes for them.
    func missingDataBytes(for bytes: Int) -> Int {
        let missing = missingBytes(for: bytes)
        return parent == nil ? min(missing, excess(of: dataBytes, bytes, over: watermarkBytes)) : missing
    }

    /// What would be missing if nothing were held or in flight.
    func missingBytesAtRest(for bytes: Int) -> Int { excess(of: dataBytes, bytes, over: limitBytes) }

    private func excess(of used: Int, _ bytes: Int, over limit: Int) -> Int {
        let (sum, overflow) = used.addingReportingOverflow(bytes)
        return overflow ? Int.max : max(0, sum - limit)
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
