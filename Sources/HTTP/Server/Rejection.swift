/// Why the server turned a request or a connection away by itself: the label of a metric.
enum Rejection: String, CaseIterable, Sendable {
    case framing, target, headers, host, origin, body, overloaded, connections, parser, stopping
    case headerTimeout = "header_timeout"
    case bodyTimeout = "body_timeout"
    case idleTimeout = "idle_timeout"
    case sendTimeout = "send_timeout"
    case slowReader = "slow_reader"

    init?(_ failure: HTTPFailure) {
        switch failure {
        case .badFraming, .unknownTransferEncoding: self = .framing
        case .targetTooLong: self = .target
        case .headersTooLarge: self = .headers
        case .misdirected: self = .host
        case .originForbidden: self = .origin
        case .bodyTooLarge, .unsupportedContentCoding, .malformedContentCoding: self = .body
        case .bodyTimeout: self = .bodyTimeout
        case .overloaded: self = .overloaded
        case .shuttingDown: self = .stopping
        case .badPercentEncoding, .badPath, .routeNotFound, .methodNotAllowed, .deadlinePassed: return nil
        }
    }

    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
