import JSON
import Snapshots
import StorageEngine

/// What a handler throws about the request itself. Each names the field and says what would be right.
extension Problem {
    package static func invalidArgument(_ field: String, _ detail: String) -> Problem {
        Problem(.invalidArgument, "\(field): \(detail)", members: [.init("field", .string(field))])
    }

    /// A number outside of its range.
    package static func outOfRange(_ field: String, _ range: ClosedRange<Int64>) -> Problem {
        Problem(
            .invalidArgument, "\(field) must be an integer from \(range.lowerBound) to \(range.upperBound)",
            members: [
                .init("field", .string(field)), .init("minimum", .integer(range.lowerBound)),
                .init("maximum", .integer(range.upperBound)),
            ])
    }

    /// - Parameter allowed: all names that are known in that place.
    package static func unknownField(_ field: String, allowed: [String]) -> Problem {
        let known = allowed.isEmpty ? "none is known here" : "known here: \(allowed.joined(separator: ", "))"
        return Problem(
            .unknownField, "unknown field \(quoted(field)); \(known)",
            members: [.init("field", .string(field))])
    }

    package static func unknownParameter(_ name: String, allowed: [String]) -> Problem {
        let known =
            allowed.isEmpty ? "this route takes none" : "this route takes \(allowed.joined(separator: ", "))"
        return Problem(
            .unknownField, "unknown query parameter \(quoted(name)); \(known)",
            members: [.init("field", .string(name))])
    }

    package static func duplicateParameter(_ name: String) -> Problem {
        .invalidArgument(name, "the query parameter is given more than once")
    }

    package static func unsupportedMediaType(_ detail: String, accepts: String? = nil) -> Problem {
        Problem(.unsupportedMediaType, detail).with { problem in
            if let accepts { problem.fields.append(.accept(accepts)) }
        }
    }

    package static func tooLarge(_ what: String, limit: Int) -> Problem {
        Problem(
            .payloadTooLarge, "\(what) may have at most \(limit) bytes",
            members: [.init("limit", .integer(Int64(limit)))])
    }

    package static func notReady(_ detail: String) -> Problem {
        Problem(.notReady, detail).with { $0.retryAfterSeconds = 1 }
    }

    /// With how far it has come.
    static func recovering(_ services: Services) -> Problem {
        if let progress = services.snapshots.startJob?.progress {
            return recovering("is restoring a snapshot", progress.bytes, of: progress.bytesTotal)
        }
        guard let (read, total) = services.engine.recoveryProgress else {
            return .notReady("the server is starting")
        }
        return recovering("is reading its data directory", read, of: total)
    }

    private static func recovering(_ what: String, _ bytes: Int, of total: Int) -> Problem {
        Problem(
            .notReady, "the server \(what): \(bytes) of \(total) bytes",
            members: [
                .init("recovered_bytes", .integer(Int64(bytes))),
                .init("total_bytes", .integer(Int64(total))),
            ]
        ).with { $0.retryAfterSeconds = 1 }
    }

    package static func overloaded(_ detail: String) -> Problem {
        Problem(.overloaded, detail).with { $0.retryAfterSeconds = 1 }
    }

    /// Shown in messages: at most 64 characters of what the client sent.
    static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(64)
        return shown.count < text.unicodeScalars.count ? "\"\(String(shown))…\"" : "\"\(text)\""
    }
}
