/// No answer, or half of one: the connection, the name, the protocol.
package struct HTTPClientFailure: Error, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// Nobody answered, or not to the end: the same request may succeed later.
        case connection
        /// The peer did not prove who it is, or its proof could not be checked.
        case untrusted
        /// The request itself cannot be sent: an address that is none, or an option that libcurl lacks.
        case unusable
        case cancelled
        /// What the request sends could not be read.
        case body
    }

    package let kind: Kind
    /// libcurl's own words.
    package let description: String
    /// What reading the request's body threw.
    package let cause: (any Error)?

    package init(_ description: String, kind: Kind = .unusable, cause: (any Error)? = nil) {
        self.kind = kind
        self.description = description
        self.cause = cause
    }
}
