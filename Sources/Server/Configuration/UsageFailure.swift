/// A mistake in flags, environment or configuration files: exit code 64.
struct UsageFailure: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
