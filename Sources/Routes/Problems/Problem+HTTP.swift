import HTTP
import JSON

/// What the HTTP layer refuses by itself, said to a client.
extension Problem {
    package init(_ failure: HTTPFailure) {
        self =
            switch failure {
            case .badFraming(let detail):
                Problem(.invalidArgument, detail).with { $0.closesConnection = true }
            case .unknownTransferEncoding:
                Problem(.notImplemented, "the only Transfer-Encoding understood is chunked")
                    .with { $0.closesConnection = true }
            case .badPercentEncoding(let place):
                Problem(.invalidArgument, "\(place): a % must be followed by two hexadecimal digits")
            case .badPath(let detail): Problem(.invalidArgument, detail)
            case .routeNotFound: Problem(.routeNotFound, "GET / lists the resources")
            case .methodNotAllowed(let allow):
                Problem(.methodNotAllowed, "allowed here: \(allow)").with { $0.fields = [.allow(allow)] }
            case .bodyTooLarge(let limit, let what): .tooLarge(what, limit: limit)
            case .targetTooLong(let limit): .headTooLarge(414, "the request target", limit: limit)
            case .headersTooLarge(let limit): .headTooLarge(431, "the header fields", limit: limit)
            case .unsupportedContentCoding(let coding):
                Problem.unsupportedMediaType(
                    "Content-Encoding \(Problem.quoted(coding)) is unknown; gzip and zstd are understood")
            case .malformedContentCoding(let detail): Problem(.invalidArgument, detail)
            case .bodyTimeout(let detail): .bodyTimeout(detail)
            case .misdirected(let host): .misdirected(host)
            case .originForbidden(let origin):
                Problem(
                    .forbidden,
                    "pages of \(Problem.quoted(origin)) may not use this server; cors.origins can allow it")
            case .overloaded(let detail, let retryAfterSeconds):
                Problem(.overloaded, detail).with { $0.retryAfterSeconds = retryAfterSeconds }
            case .shuttingDown: .shuttingDown
            case .deadlinePassed: .notReady("the deadline of the request has passed")
            }
    }

    private static func headTooLarge(_ status: Int, _ what: String, limit: Int) -> Problem {
        Problem(
            .invalidArgument, "\(what) may have at most \(limit) bytes",
            members: [.init("limit", .integer(Int64(limit)))]
        ).with { $0.status = status }
    }

    private static func bodyTimeout(_ detail: String) -> Problem {
        Problem(.invalidArgument, detail).with {
            $0.status = 408
            $0.isRetryable = true
            $0.closesConnection = true
        }
    }

    private static func misdirected(_ host: String) -> Problem {
        Problem(
            .forbidden,
            "Host \(quoted(host)) is not this server's: use an IP address, localhost or a configured name"
        ).with { $0.status = 421 }
    }
}
