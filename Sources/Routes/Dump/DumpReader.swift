import JSON
import Platform
import StorageEngine

/// Understands the lines of a dump one after the other: a header, each log with what it had, the end. Fields that it does
/// not know are passed over.
struct DumpReader {
    private enum State { case beforeHeader, open, ended }

    private let services: Services
    private let options: DumpOptions
    private let incoming: IncomingLogs
    private var state = State.beforeHeader
    /// In the order of the dump; the last one is being read.
    private(set) var logs: [(name: String, log: any LoadedLog)] = []
    private var names: Set<String> = []
    private var shape = LogShape()
    private var rows: [DumpRow] = []
    /// Of all logs, those that are not asked for too.
    private var recordCount = 0

    init(_ services: Services, _ options: DumpOptions) {
        self.services = services
        self.options = options
        incoming = IncomingLogs(services.engine)
    }

    // MARK: Lines

    /// - Parameter number: of the line in the dump.
    mutating func take(_ line: DumpLine, number: Int, _ source: DumpBytes) throws {
        if state == .ended { throw Problem(.invalidArgument, "the dump goes on behind its last line") }
        if line.offset != nil {
            guard state == .open else { throw Self.noHeader }
            return try takeRecord(line, number: number, source)
        }
        let fields = try ControlJSON.parse(source.bytes(line.text))
        if state == .beforeHeader {
            try takeHeader(fields)
        } else if fields["complete"] != nil {
            try flush(source)
            try takeEnd(fields)
        } else if fields["producer"] != nil {
            try takeProducer(fields)
        } else if fields["config"] != nil {
            try flush(source)
            try takeLog(fields)
        } else {
            throw Problem(
                .invalidArgument,
                "the line is no log (config), producer, record (offset) or end (complete) of a dump")
        }
    }

    /// Hands the rows over, whose bytes go then.
    mutating func flush(_ source: DumpBytes) throws {
        guard !rows.isEmpty else { return }
        defer { rows.removeAll(keepingCapacity: true) }
        try logs.last?.log.append(rows, source)
    }

    /// All of it was there. - Throws: when the last line is missing; when the logs cannot be published, nothing is changed.
    mutating func finish() throws {
        guard state == .ended else {
            throw Problem(
                .invalidArgument,
                state == .beforeHeader
                    ? "the dump is empty"
                    : "the dump breaks off: its last line, which says complete, is missing")
        }
        try incoming.publish(replacing: options.replaces)
    }

    // MARK: Around records

    private static let noHeader = Problem.invalidArgument(
        "format", "the first line is not the header of a dump, whose format is \(DumpFormat.name)")

    private mutating func takeHeader(_ fields: JSONValue) throws {
        guard fields["format"]?.stringValue == DumpFormat.name else { throw Self.noHeader }
        guard let version = fields["version"]?.integerValue else {
            throw Problem.invalidArgument("version", "is missing, or no integer")
        }
        guard version == DumpFormat.version else {
            throw Problem.invalidArgument(
                "version",
                "the dump has version \(version) of the format, and this server reads \(DumpFormat.version)")
        }
        state = .open
    }

    private mutating func takeLog(_ line: JSONValue) throws {
        try finishLog()
        var fields = try ObjectReader(line)
        let text = try fields.required("log", try fields.string("log"))
        let name = try LogName.parse(Array(text.utf8))
        guard names.insert(name).inserted else {
            throw Problem.invalidArgument("log", "the dump has log \(name) twice")
        }
        let configuration = try LogConfiguration(
            dumped: fields.required("config", fields.raw("config")), mode: options.mode)
        shape = try LogShape(name, configuration.partitions, fields.array("partitions"))
        logs.append((name, try target(name, configuration)))
    }

    private func target(_ name: String, _ configuration: LogConfiguration) throws -> any LoadedLog {
        if let wanted = options.logs, !wanted.contains(name) { return SkippedLog() }
        let existing = services.engine.log(named: name)
        if let existing, options.appends { return ExistingLog(existing, services.clock) }
        if existing != nil, !options.replaces { throw Self.exists(name) }
        return IncomingLoadedLog(try add(name, configuration), replaces: existing != nil)
    }

    private func add(_ name: String, _ configuration: LogConfiguration) throws -> IncomingLog {
        do throws(EngineError) {
            return try incoming.add(named: name, configuration, replacing: options.replaces)
        } catch {
            guard case .invalidConfiguration("mode", let reason) = error else { throw error }
            throw Problem.invalidArgument("config.mode", "\(reason), or load it with mode=memory")
        }
    }

    static func exists(_ name: String) -> Problem {
        Problem(
            .logExists,
            "log \(name) exists; replace=true puts the dump's in its place, append=true adds its records",
            members: [.init("log", .string(name))])
    }

    private mutating func takeProducer(_ fields: JSONValue) throws {
        guard let current = logs.last else { throw Self.noLog }
        current.log.restoreProducer(try shape.producer(fields))
    }

    private mutating func takeEnd(_ fields: JSONValue) throws {
        try finishLog()
        guard fields["complete"] == .bool(true) else {
            throw Problem.invalidArgument("complete", "must be true")
        }
        for (name, count) in [("logs", logs.count), ("records", recordCount)] {
            guard fields[name]?.integerValue == Int64(count) else {
                throw Problem.invalidArgument(
                    name, "the dump has \(count) of them, and its last line tells another number")
            }
        }
        for name in (options.logs ?? []).sorted() where !names.contains(name) {
            throw Problem.invalidArgument("logs", "the dump has no log \(name)")
        }
        state = .ended
    }

    private func finishLog() throws { try logs.last?.log.finish(bounds: shape.bounds) }

    // MARK: Records

    private static let noLog = Problem.invalidArgument("log", "the line of a log with its config comes first")

    private mutating func takeRecord(_ line: DumpLine, number: Int, _ source: DumpBytes) throws {
        guard let current = logs.last else { throw Self.noLog }
        if !line.log.isAbsent, !source.bytes(line.log).elementsEqual(current.name.utf8) {
            throw Problem.invalidArgument(
                "log", "records follow the line of their log, and the last one was that of \(current.name)")
        }
        let key = source.bytes(line.record.key)
        let own = line.record.key.isAbsent ? nil : current.log.partition(ofKey: key)
        let row = try DumpRow(line, number: number, partition: own, source, services)
        if let own, row.partition != own {
            throw Problem.invalidArgument("partition", "must be \(own), where records of this key belong")
        }
        try shape.add(row.offset, to: row.partition)
        rows.append(row)
        recordCount += 1
    }
}
