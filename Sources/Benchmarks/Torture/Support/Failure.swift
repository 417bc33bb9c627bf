/// Why a test failed.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// - Throws: `Failure` with this reason when the condition does not hold.
@inline(__always)
func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
    if !condition { throw Failure(reason()) }
}
