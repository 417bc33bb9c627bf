import Platform

/// Parsers waiting for their next user, so that a request does not pay for fresh working memory.
package final class RecordParserPool: Sendable {
    /// More than the event loop has threads; what is returned beyond it is freed.
    private static let keptMax = 16
    private let idle = Lock<[RecordParser]>([])

    package init() {}

    package func take() -> RecordParser {
        idle.withLock { $0.popLast() } ?? RecordParser()
    }

    package func giveBack(_ parser: RecordParser) {
        parser.reset()
        idle.withLock { if $0.count < Self.keptMax { $0.append(parser) } }
    }

    package func withParser<Result, Failure: Error>(
        _ body: (RecordParser) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let parser = take()
        defer { giveBack(parser) }
        return try body(parser)
    }
}
