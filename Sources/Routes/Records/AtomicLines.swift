import Glibc
import HTTP
import JSON
import Platform
import StorageEngine

/// NDJSON that is applied as a whole or not at all: parsed while it arrives, appended when it is complete.
final class AtomicLines: BodyConsumer, @unchecked Sendable {
    // Sendable: the callbacks of one connection come one after the other.
    private let plan: AppendPlan
    private let limit: Int
    /// A retry may not be parsed at all: with an idempotency key the body is collected first.
    private let isParsedLate: Bool
    private var body = ByteBuffer()
    private var parser: RecordParser?
    private var parsedBytes = 0
    private var parsedLines = 0
    /// The rest of a bad body is taken and dropped, so that the client reads the answer before it writes on.
    private var failure: Problem?

    init(_ plan: AppendPlan) {
        self.plan = plan
        limit = plan.services.limits.batchBytesMax
        isParsedLate = plan.request.hasField("Idempotency-Key")
    }

    /// - Parameter announced: the length of the body, decoded or not.
    func refuseTooLong(announced length: Int?) throws(Problem) {
        guard let length else { return }
        if length > limit { throw tooLong }
        body.reserve(length)
    }

    func consume(_ bytes: UnsafeRawBufferPointer) throws {
        guard body.count + bytes.count <= limit else { throw failure ?? tooLong }
        body.append(bytes)
        guard failure == nil, !isParsedLate, bytes.containsNewline else { return }
        do { try parse(isFinal: false) } catch { failure = error }
    }

    func finish() throws -> Reply {
        defer { giveBackParser() }
        if let failure { throw failure }
        return try Idempotency(services: plan.services).perform(plan.request, body: body.bytes) {
            [self] claim in
            defer { giveBackParser() }
            try parse(isFinal: true)
            guard let parser else { throw Problem(.internal, "the parser is gone") }
            let draft = plan.draft(of: parser.found, in: body)
            return try plan.append(draft, isKeyed: plan.isKeyed, claim).writeReply { .appended($0) }
        }
    }

    func cancelled() { giveBackParser() }

    private func parse(isFinal: Bool) throws(Problem) {
        let parser = parser ?? plan.services.parsers.take()
        self.parser = parser
        let recordsMax = RecordRoutes.recordsPerCallMax
        let progress = parser.lines(
            of: body, from: parsedBytes, isFinal: isFinal, fields: plan.fields, recordsMax: recordsMax)
        if let failure = progress.failure { throw Problem(line: failure, linesBefore: parsedLines) }
        parsedBytes = progress.consumed
        parsedLines += progress.lines
        if parser.found.count == recordsMax, parsedBytes < body.count {
            throw Problem(
                .payloadTooLarge,
                "a body may have at most \(recordsMax) lines; atomic=false takes any number, in chunks",
                members: [.init("limit", .integer(Int64(recordsMax)))])
        }
    }

    private func giveBackParser() {
        if let parser { plan.services.parsers.giveBack(parser) }
        parser = nil
    }

    private var tooLong: Problem {
        Problem(
            .payloadTooLarge,
            "lines that are applied as a whole may have at most \(limit) bytes; "
                + "atomic=false takes any number, applied in chunks",
            members: [.init("limit", .integer(Int64(limit)))])
    }
}

extension UnsafeRawBufferPointer {
    var containsNewline: Bool {
        guard let baseAddress, count > 0 else { return false }
        return memchr(baseAddress, Int32(UInt8(ascii: "\n")), count) != nil
    }
}
