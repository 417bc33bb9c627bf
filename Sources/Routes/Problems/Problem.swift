import HTTP
import JSON

/// What went wrong, for people and programs: the document of RFC 9457. Handlers throw it; `problem(for:_:)` makes it
/// from every other error.
package struct Problem: Error, Sendable, Equatable {
    /// What became of the write that this answers.
    package enum Applied: String, Sendable {
        case no
        case yes
        case partial
        case unknown
    }

    package var code: ProblemCode
    package var status: Int
    /// This occurrence: which field, what was given, what is allowed, what to do.
    package var detail: String
    package var isRetryable: Bool
    package var applied = Applied.no
    /// The figures needed to act: `tail`, `limit`, `current_revision`…
    package var members: [JSONValue.Member] = []
    package var retryAfterSeconds: Int?
    /// `Allow`, `Accept-Patch`, `ETag`…
    package var fields: [Field] = []
    package var closesConnection = false

    package enum Field: Sendable, Equatable {
        case allow(String)
        case accept(String)
        case acceptPatch(String)
        case revision(String)
    }

    package init(_ code: ProblemCode, _ detail: String, members: [JSONValue.Member] = []) {
        self.code = code
        self.status = code.status
        self.detail = detail
        self.isRetryable = code.isRetryable
        self.members = members
    }

    package func with(_ change: (inout Problem) -> Void) -> Problem {
        var changed = self
        change(&changed)
        return changed
    }

    package var type: String { "tag:pyralog,2026:error/\(code.rawValue)" }

    package var document: JSONValue {
        .object(
            [
                .init("type", .string(type)),
                .init("title", .string(code.title)),
                .init("status", .integer(Int64(status))),
                .init("detail", .string(detail)),
                .init("code", .string(code.rawValue)),
                .init("retryable", .bool(isRetryable)),
                .init("applied", .string(applied.rawValue)),
            ] + members)
    }

    package var response: Response {
        var response = Response(
            status: status, contentType: "application/problem+json",
            fields: [HeaderField("Cache-Control", "no-store")],
            body: .bytes(ControlJSON.serialize(document) + [UInt8(ascii: "\n")]))
        if let retryAfterSeconds {
            response.fields.append(HeaderField("Retry-After", String(retryAfterSeconds)))
        }
        for field in fields { response.fields.append(field.headerField) }
        response.closesConnection = closesConnection
        return response
    }
}

extension Problem.Field {
    var headerField: HeaderField {
        switch self {
        case .allow(let methods): HeaderField("Allow", methods)
        case .accept(let types): HeaderField("Accept", types)
        case .acceptPatch(let types): HeaderField("Accept-Patch", types)
        case .revision(let revision): HeaderField("Pyralog-Revision", revision)
        }
    }
}
