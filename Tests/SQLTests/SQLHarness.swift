import JSON
import Metrics
import Platform
import SQL
import StorageEngine
import Support

/// SQL over an engine whose clock only the test moves.
final class SQLHarness: Sendable {
    let harness: EngineHarness
    let service: SQLService
    let metrics = MetricsRegistry()
    var engine: Engine { harness.engine }
    var clock: Clock { harness.clock }

    init(maxMemoryBytes: Int = 1 << 30, _ change: (inout SQLConfiguration) -> Void = { _ in }) {
        harness = EngineHarness(maxMemoryBytes: maxMemoryBytes)
        var configuration = SQLConfiguration()
        configuration.libraryPath = DuckDBFile.path
        change(&configuration)
        service = SQLService(harness.engine, configuration, metrics)
    }

    deinit { service.stop() }

    func log(_ name: String, _ change: (inout LogConfiguration) -> Void = { _ in }) throws -> Log {
        try harness.log(name, change)
    }

    func begin(_ request: Query.Request) -> RunningQuery {
        let running = RunningQuery()
        let query = service.add(request) { _, head in running.set(head) }
        running.query.withLock { $0 = query }
        service.begin(query)
        return running
    }

    func answer(_ text: String, _ format: ResultFormat = .json) throws -> String {
        var request = Query.Request(text)
        request.format = format
        return try begin(request).wait()
    }

    /// The rows as JSON arrays.
    func rows(_ text: String) throws -> [JSONValue] {
        try ControlJSON.parse(Array(answer(text).utf8))["rows"]?.arrayValue ?? []
    }

    /// Rows in short: `1,"a" 2,"b"`.
    func short(_ text: String) throws -> String {
        try rows(text).map { row in
            (row.arrayValue ?? []).map { String(decoding: ControlJSON.serialize($0), as: UTF8.self) }
                .joined(separator: ",")
        }.joined(separator: " ")
    }

    func types(_ text: String) throws -> [String] {
        let columns = try ControlJSON.parse(Array(answer(text).utf8))["columns"]?.arrayValue ?? []
        return columns.map { "\($0["name"]?.stringValue ?? "") \($0["type"]?.stringValue ?? "")" }
    }

    func failure(_ text: String) -> SQLFailure? {
        do {
            _ = try answer(text)
            return nil
        } catch {
            return error as? SQLFailure
        }
    }
}

final class RunningQuery: Sendable {
    let query = Lock<Query?>(nil)
    private let head = Lock<ResultPipe.Head?>(nil)
    private let wakeUp = WakeUp()

    func set(_ value: ResultPipe.Head) {
        head.withLock { $0 = value }
        wakeUp.signal()
    }

    func wait() throws -> String {
        while true {
            let generation = wakeUp.generation
            switch head.withLock({ $0 }) {
            case .complete(let bytes)?: return String(decoding: bytes, as: UTF8.self)
            case .failure(let failure)?: throw failure
            case .streaming?: return try drain()
            case nil: wakeUp.wait(since: generation)
            }
        }
    }

    private func drain() throws -> String {
        guard let pipe = query.withLock({ $0 })?.pipe else { return "" }
        let more = WakeUp()
        pipe.onMore { more.signal() }
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { buffer.deallocate() }
        while true {
            let generation = more.generation
            switch pipe.read(into: buffer) {
            case .bytes(let count): bytes += buffer[..<count]
            case .wait: more.wait(since: generation)
            case .end: return String(decoding: bytes, as: UTF8.self)
            case .failure(let failure): throw failure
            }
        }
    }
}
