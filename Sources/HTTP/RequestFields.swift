/// Where a request's header fields are read from.
enum RequestFields {
    case snapshot(HeaderSnapshot)

    func withValue<Result>(
        _ name: StaticString, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result? {
        switch self {
        case .snapshot(let snapshot): try snapshot.withValue(name, body)
        }
    }
}
