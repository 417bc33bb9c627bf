import HTTP
import JSON
import Routes
import StorageEngine
import Testing

@Suite("Problems")
struct ProblemTests {
    struct Unforeseen: Error {}

    static let mapping = ProblemMapping(reportUnexpected: { _, _ in })

    static let revision = Revision(partition: 1, offset: Offset(17), epoch: Epoch(rawValue: 0x9f3a_11c2))

    /// Every error that the engine, the HTTP layer and the readers of bodies can throw, and what becomes of it.
    static let table: [(error: any Error & Sendable, status: Int, code: ProblemCode)] = [
        (EngineError.logNotFound(log: "a"), 404, .logNotFound),
        (EngineError.logExists(log: "a", differences: ["ttl_ms"]), 409, .logExists),
        (EngineError.invalidConfiguration(field: "partitions", reason: "fixed"), 400, .invalidArgument),
        (EngineError.notImplemented(feature: "mode hybrid"), 501, .notImplemented),
        (EngineError.keyNotFound, 404, .keyNotFound),
        (EngineError.partitionOutOfRange(partition: 3, partitions: 2), 400, .invalidArgument),
        (EngineError.offsetOutOfRange(tail: Offset(5)), 416, .offsetOutOfRange),
        (EngineError.offsetTrimmed(first: Offset(5)), 410, .offsetTrimmed),
        (EngineError.preconditionFailed(current: revision), 412, .preconditionFailed),
        (EngineError.preconditionFailed(current: nil), 412, .preconditionFailed),
        (EngineError.offsetMismatch(tail: Offset(5)), 412, .offsetMismatch),
        (EngineError.epochChanged(current: Epoch(rawValue: 7)), 409, .epochChanged),
        (EngineError.integerOverflow, 409, .integerOverflow),
        (EngineError.notAnInteger, 409, .notAnInteger),
        (EngineError.recordTooLarge(limit: 10, size: 11), 413, .payloadTooLarge),
        (
            EngineError.acknowledgementUnavailable(requested: .disk, available: .memory), 400,
            .acknowledgementUnavailable
        ),
        (EngineError.producerFenced(currentEpoch: 4), 403, .producerFenced),
        (EngineError.producerGap(expectedSequence: 9), 409, .producerGap),
        (EngineError.memoryFull(budget: "server", limit: 10, used: 9, needed: 2), 507, .memoryFull),
        (EngineError.logReadOnly(log: "a", reason: "disk"), 503, .logReadOnly),
        (EngineError.outcomeUnknown(reason: "disk"), 503, .logReadOnly),
        (EngineError.logDeleted, 404, .logNotFound),
        (EngineError.shuttingDown, 503, .shuttingDown),
        (HTTPFailure.badFraming(detail: "two lengths"), 400, .invalidArgument),
        (HTTPFailure.unknownTransferEncoding, 501, .notImplemented),
        (HTTPFailure.badPercentEncoding(where: "path"), 400, .invalidArgument),
        (HTTPFailure.badPath(detail: "dots"), 400, .invalidArgument),
        (HTTPFailure.routeNotFound, 404, .routeNotFound),
        (HTTPFailure.methodNotAllowed(allow: "GET"), 405, .methodNotAllowed),
        (HTTPFailure.bodyTooLarge(limit: 1, what: "a value"), 413, .payloadTooLarge),
        (HTTPFailure.targetTooLong(limit: 1), 414, .invalidArgument),
        (HTTPFailure.headersTooLarge(limit: 1), 431, .invalidArgument),
        (HTTPFailure.unsupportedContentCoding("br"), 415, .unsupportedMediaType),
        (HTTPFailure.malformedContentCoding(detail: "cut"), 400, .invalidArgument),
        (HTTPFailure.bodyTimeout(detail: "slow"), 408, .invalidArgument),
        (HTTPFailure.misdirected(host: "evil"), 421, .forbidden),
        (HTTPFailure.originForbidden(origin: "evil"), 403, .forbidden),
        (HTTPFailure.overloaded(detail: "full", retryAfterSeconds: 3), 503, .overloaded),
        (HTTPFailure.shuttingDown, 503, .shuttingDown),
        (HTTPFailure.deadlinePassed, 503, .notReady),
        (JSONFailure(message: "unexpected end", position: 3), 400, .invalidJSON),
        (FieldFailure(.unknownField, path: "a.b", message: "b is not a field."), 400, .unknownField),
        (FieldFailure(.outOfRange, path: "a", message: "too large"), 400, .invalidArgument),
        (Unforeseen(), 500, .internal),
    ]

    @Test("each error has its document, status and code", arguments: table)
    func document(error: any Error & Sendable, status: Int, code: ProblemCode) throws {
        let response = Self.mapping.response(for: error, nil)
        #expect(response.status == status)
        #expect(response.contentType == "application/problem+json")
        guard case .bytes(let body) = response.body else {
            Issue.record("a problem has a document")
            return
        }
        #expect(body.last == UInt8(ascii: "\n"))
        let document = try ControlJSON.parse(body)
        #expect(document["type"] == .string("tag:pyralog,2026:error/\(code.rawValue)"))
        #expect(document["code"] == .string(code.rawValue))
        #expect(document["status"] == .integer(Int64(status)))
        #expect(document["title"] == .string(code.title))
        #expect(document["detail"]?.stringValue?.isEmpty == false)
        guard case .bool = document["retryable"] else {
            Issue.record("retryable is missing")
            return
        }
        #expect(["no", "unknown"].contains(document["applied"]?.stringValue))
    }

    @Test(
        "the numbers needed to act are members",
        arguments: [
            (EngineError.offsetOutOfRange(tail: Offset(5)), "tail", JSONValue.integer(5)),
            (.offsetTrimmed(first: Offset(6)), "first", .integer(6)),
            (.offsetMismatch(tail: Offset(7)), "tail", .integer(7)),
            (.preconditionFailed(current: revision), "current_revision", .string("1-17-9f3a11c2")),
            (.preconditionFailed(current: nil), "current_revision", .null),
            (.epochChanged(current: Epoch(rawValue: 7)), "current_epoch", .string("00000007")),
            (.producerFenced(currentEpoch: 4), "current_epoch", .integer(4)),
            (.producerGap(expectedSequence: 9), "expected_seq", .integer(9)),
            (.memoryFull(budget: "server", limit: 10, used: 9, needed: 2), "limit", .integer(10)),
            (.memoryFull(budget: "server", limit: 10, used: 9, needed: 2), "used", .integer(9)),
            (.recordTooLarge(limit: 10, size: 11), "limit", .integer(10)),
            (.logExists(log: "a", differences: ["ttl_ms"]), "differences", .array([.string("ttl_ms")])),
        ])
    func members(error: EngineError, name: String, value: JSONValue) {
        #expect(Problem(error).document[name] == value)
    }

    @Test("Retry-After comes with what waiting helps against")
    func retryAfter() {
        func seconds(_ error: any Error) -> String? {
            Self.mapping.response(for: error, nil).fields.first { "\($0.name)" == "Retry-After" }?.value
        }
        #expect(seconds(HTTPFailure.overloaded(detail: "full", retryAfterSeconds: 3)) == "3")
        #expect(seconds(EngineError.shuttingDown) != nil)
        #expect(seconds(EngineError.memoryFull(budget: "server", limit: 1, used: 1, needed: 2)) != nil)
        #expect(seconds(EngineError.keyNotFound) == nil)
    }

    @Test("an unforeseen error is told once, and answered without its text")
    func unforeseen() {
        let told = Recorder()
        let mapping = ProblemMapping { error, _ in told.record("\(error)") }
        let read = mapping.problem(for: Unforeseen(), Request(.get, "/"))
        #expect(told.all.count == 1)
        #expect(!read.detail.contains("Unforeseen"))
        #expect(read.applied == .no)
        #expect(mapping.problem(for: Unforeseen(), Request(.put, "/")).applied == .unknown)
    }

    @Test("codes are unique and written like names")
    func codes() {
        let codes = ProblemCode.allCases.map(\.rawValue)
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { $0.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F } })
        #expect(ProblemCode.allCases.allSatisfy { (400...599).contains($0.status) && !$0.title.isEmpty })
    }
}
