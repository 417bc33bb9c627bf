import HTTP
import JSON
import Platform
import StorageEngine

/// NDJSON of any length (`atomic=false`): applied in order, in chunks, as it arrives. Everything before a bad line is in.
final class ChunkedLines: BodyConsumer, @unchecked Sendable {
    // Sendable: the callbacks of one connection come one after the other.
    private static let chunkBytes = 1024 * 1024
    /// What a connection hands over at once, about.
    private static let pieceBytesExpected = 64 * 1024
    private static let recordsPerChunkMax = 65_536
    /// How much of a body is taken and dropped after a failure, so that the client reads the answer before it writes on.
    private static let droppedBytesMax = 8 * 1024 * 1024

    private let plan: AppendPlan
    private let parser: RecordParser
    private var body = ByteBuffer()
    private var parsedBytes = 0
    private var parsedLines = 0
    /// Unkeyed records stay together: those of later chunks follow the first one's.
    private var partition: Int?
    private let progress = ChunkProgress()
    private var failure: (any Error)?
    private var droppedBytes = 0

    init(_ plan: AppendPlan) {
        self.plan = plan
        parser = plan.services.parsers.take()
        let announced = plan.request.field("Content-Length").flatMap { Int($0) } ?? 0
        body.reserve(min(max(announced, 0), Self.chunkBytes + Self.pieceBytesExpected))
    }

    func consume(_ bytes: UnsafeRawBufferPointer) throws {
        if failure != nil {
            droppedBytes += bytes.count
            if droppedBytes > Self.droppedBytesMax { throw problem(failure) }
            return
        }
        body.append(bytes)
        do {
            if bytes.containsNewline { try parse(isFinal: false) }
            let limit = plan.services.limits.valueBytesMax
            if body.count - parsedBytes > limit {
                var problem = Problem.tooLarge("a value", limit: limit)
                problem.name("line", parsedLines + 1)
                throw problem
            }
            if parsedBytes >= Self.chunkBytes { try appendChunk() }
        } catch {
            failure = error
        }
    }

    func finish() throws -> Reply {
        defer { plan.services.parsers.giveBack(parser) }
        if failure == nil {
            do {
                try parse(isFinal: true)
                try appendChunk()
                if progress.isEmpty { throw Problem(.invalidArgument, "the body has no records") }
            } catch {
                failure = error
            }
        }
        return progress.reply(to: plan.request, failure: failure, plan.services)
    }

    func cancelled() { plan.services.parsers.giveBack(parser) }

    private func parse(isFinal: Bool) throws {
        while true {
            let recordsMax = Self.recordsPerChunkMax
            let step = parser.lines(
                of: body, from: parsedBytes, isFinal: isFinal, fields: plan.fields, recordsMax: recordsMax)
            parsedBytes = step.consumed
            let linesBefore = parsedLines
            parsedLines += step.lines
            if let failure = step.failure {
                try appendChunk()
                throw Problem(line: failure, linesBefore: linesBefore)
            }
            guard parser.found.count == recordsMax, parsedBytes < body.count else { return }
            try appendChunk()
        }
    }

    /// Hands over what has been parsed and goes on with the rest.
    private func appendChunk() throws {
        if parser.found.count > 0 {
            let draft = plan.draft(of: parser.found, in: body)
            let outcome = try plan.append(draft, isKeyed: plan.isKeyed, partition: partition)
            if case .done(let result) = outcome, !plan.isKeyed { partition = result.ranges.first?.partition }
            progress.add(outcome)
        }
        parser.reset()
        body.removePrefix(parsedBytes)
        parsedBytes = 0
    }

    private func problem(_ error: (any Error)?) -> Problem {
        let cause = error ?? Problem(.internal, "no failure")
        return plan.services.problems.problem(for: cause, plan.request).partially(progress.ranges)
    }
}
