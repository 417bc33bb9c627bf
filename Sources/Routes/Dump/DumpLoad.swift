import HTTP
import JSON
import Platform
import StorageEngine

/// A dump on its way in: read while it comes, a piece of it in memory at a time. Its logs are there once all of it was right.
final class DumpLoad: BodyConsumer, @unchecked Sendable {
    // Sendable: the callbacks of one connection come one after the other, and a worker only goes on behind the last.
    private static let chunkBytes = 1280 * 1024
    private static let linesPerChunkMax = 65_536
    /// What is looked at to tell the one form from the other.
    private static let sampleBytes = 64
    /// How much of a body is taken and dropped after a failure, so that the client reads the answer before it writes on.
    private static let droppedBytesMax = 8 * 1024 * 1024

    private let request: Request
    private let services: Services
    /// Nil until it is known.
    private var form: DumpForm?
    private var document = DumpDocument()
    private let parser: RecordParser
    private var body = ByteBuffer()
    private var hasWholeLine = false
    private var linesBefore = 0
    /// Nil once it has failed: what was made of its logs is gone.
    private var reader: DumpReader?
    private var failure: Problem?
    private var droppedBytes = 0

    /// - Parameter form: nil when the request does not say.
    init(_ request: Request, _ options: DumpOptions, _ form: DumpForm?, _ services: Services) {
        self.request = request
        self.services = services
        self.form = form
        parser = services.parsers.take()
        reader = DumpReader(services, options)
    }

    func consume(_ bytes: UnsafeRawBufferPointer) throws {
        if let failure {
            droppedBytes += bytes.count
            if droppedBytes > Self.droppedBytesMax { throw failure }
            return
        }
        do {
            try take(bytes)
            if hasWholeLine, body.count >= Self.chunkBytes { try read(isFinal: false) }
            if body.count > lineBytesMax {
                throw named(.tooLarge("a line", limit: lineBytesMax), linesBefore + 1)
            }
        } catch {
            fail(error)
        }
    }

    func finish() throws -> Reply {
        if let failure {
            services.parsers.giveBack(parser)
            throw failure
        }
        // Publishing may write all of it to disk, and wait for that.
        let reply = request.deferReply(finishesBeforeStop: true) { _ in Problem.outcomeUnknownAtStop.response
        }
        do {
            try services.workers.run { [self] in reply.complete { try complete() } }
        } catch {
            cancelled()
            throw error
        }
        return .later(reply)
    }

    func cancelled() {
        reader = nil
        services.parsers.giveBack(parser)
    }

    // MARK: Bytes

    private func take(_ bytes: UnsafeRawBufferPointer) throws {
        switch form {
        case .lines:
            body.append(bytes)
            hasWholeLine = hasWholeLine || bytes.containsNewline
        case .document: hasWholeLine = try document.take(bytes, to: body) || hasWholeLine
        case nil:
            body.append(bytes)
            if body.count >= Self.sampleBytes { try chooseForm() }
        }
    }

    /// The header stands first in either form: as the line itself, or as a member.
    private func chooseForm() throws {
        let sample = body.bytes.prefix(Self.sampleBytes).filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let isDocument = sample.starts(with: "{\"header\":".utf8)
        form = isDocument ? .document : .lines
        let taken = body
        body = ByteBuffer()
        defer { withExtendedLifetime(taken) {} }
        try take(taken.bytes)
    }

    /// A value may be a third longer in base64; headers come in a batch at most.
    private var lineBytesMax: Int {
        services.limits.valueBytesMax / 3 * 4 + services.limits.batchBytesMax + 64 * 1024
    }

    // MARK: Lines

    /// - Parameter isFinal: the last line needs no newline.
    private func read(isFinal: Bool) throws {
        var from = 0
        var isComplete = false
        while !isComplete {
            let step = parser.dumpLines(
                of: body, from: from, isFinal: isFinal, linesMax: Self.linesPerChunkMax)
            let found = parser.foundDumpLines
            isComplete = found.count < Self.linesPerChunkMax
            try take(found)
            if let failure = step.failure { throw named(Problem(failure), linesBefore + (failure.item ?? 1)) }
            from = step.consumed
            linesBefore += step.lines
            parser.reset()
        }
        body.removePrefix(from)
        hasWholeLine = false
    }

    private func take(_ found: DumpLines) throws {
        let source = DumpBytes(text: body, scratch: ByteBuffer(parser.found.scratch))
        defer { withExtendedLifetime(source) {} }
        var number = linesBefore
        do {
            for index in 0..<found.count {
                let line = found[index]
                number = linesBefore + line.number
                try reader?.take(line, number: number, source)
            }
            try reader?.flush(source)
        } catch {
            throw named(services.problems.problem(for: error, request), number)
        }
    }

    private func named(_ problem: Problem, _ number: Int) -> Problem {
        problem.with { $0.name(form == .document ? "entry" : "line", number) }
    }

    // MARK: The end

    private func complete() throws -> Response {
        defer { cancelled() }
        do {
            if form == nil { try chooseForm() }
            if form == .document { try document.finish() }
            try read(isFinal: true)
            try reader?.finish()
        } catch {
            fail(error)
        }
        if let failure { throw failure }
        return Self.response(reader?.logs ?? [])
    }

    /// What was appended to logs that were there stays; nothing else does.
    private func fail(_ error: any Error) {
        let problem = services.problems.problem(for: error, request)
        let appended = (reader?.logs ?? []).compactMap { $0.log as? ExistingLog }
        // They are in, or they say themselves that they may not be.
        for log in appended { try? log.finish(bounds: nil) }
        failure = problem.with { problem in
            if appended.contains(where: \.isUncertain) {
                problem.applied = .unknown
            } else if appended.contains(where: { $0.count > 0 }) {
                problem.applied = .partial
            }
        }
        reader = nil
        body = ByteBuffer()
    }

    private static func response(_ logs: [(name: String, log: any LoadedLog)]) -> Response {
        let loaded = logs.filter { $0.log.result != nil }
        var json = JSONWriter()
        json.object { json in
            json.key("logs")
            json.array { json in
                for (name, log) in loaded {
                    json.object { json in
                        json.member("name", name)
                        if let result = log.result { json.member("result", result) }
                        json.member("records", log.count)
                    }
                }
            }
            json.member("records", loaded.reduce(0) { $0 + $1.log.count })
        }
        return .json(json)
    }
}
