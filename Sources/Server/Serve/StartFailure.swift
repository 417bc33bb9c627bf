/// Why the server did not start, and the exit code that says so.
struct StartFailure: Error, CustomStringConvertible {
    enum Kind: Int32 {
        /// EX_USAGE: a mistake in flags, environment or files.
        case usage = 64
        /// EX_UNAVAILABLE: the address cannot be listened on.
        case unavailable = 69
        /// EX_IOERR: what is on disk cannot be used.
        case storage = 74
    }

    let kind: Kind
    let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
