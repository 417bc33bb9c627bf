import Platform

/// Why an object could not be stored, read, listed or deleted. There is never a secret in it.
package struct ObjectStoreFailure: Error, CustomStringConvertible {
    package enum Kind: Sendable {
        /// There is no such object.
        case notFound
        /// The credentials are wrong, or do not allow this.
        case denied
        /// The store does not take this request, and would not take it later: the bucket, the region, a limit.
        case refused
        /// Nobody answered, or only with trouble of its own, until the attempts were used up. It may be well later.
        case unavailable
        /// What is stored is not what it should be.
        case corrupt
        /// What was to be stored could not be read: see `cause`.
        case source
        /// Who received the bytes or the list threw: see `cause`.
        case receiver
        /// The directory could not be read or written: `cause` is a `FileFailure`.
        case files
        /// The key or the location is none.
        case invalid
        case cancelled
    }

    package let kind: Kind
    package let location: String
    package let key: String?
    /// What happened, and what to do about it.
    package let detail: String
    package let cause: (any Error)?

    package init(
        _ kind: Kind, _ location: String, _ key: String? = nil, _ detail: String, cause: (any Error)? = nil
    ) {
        self.kind = kind
        self.location = location
        self.key = key
        self.detail = detail
        self.cause = cause
    }

    package var description: String {
        let place = key.map { location.hasSuffix("/") ? location + $0 : "\(location)/\($0)" } ?? location
        return "\(place): \(detail)"
    }

    /// Whether the same call may succeed later without anybody doing something.
    package var mayPass: Bool { kind == .unavailable || (cause as? FileFailure)?.mayPass == true }
}
