import CMicroHTTPD

/// What every request is held against: plain numbers, so that looking at them counts no references.
struct HeadLimits: Sendable {
    let targetBytesMax: Int
    let headerBytesMax: Int
    /// Of a connection's memory, so that the head of an answer still fits in.
    let usedMemoryBytesMax: Int

    /// Up to 0.9.77 names and values lie where the client's bytes were received, so folded lines and NUL bytes, which
    /// the library's parser hides, show in the distances. Version 1 parses strictly and refuses both itself.
    let layoutTells: Bool

    init(_ configuration: HTTPConfiguration) {
        targetBytesMax = configuration.targetBytesMax
        headerBytesMax = configuration.headerBytesMax
        usedMemoryBytesMax = configuration.connectionMemoryBytes - HTTPConfiguration.answerHeadBytes / 2
        layoutTells = MHD_get_version().pointee == UInt8(ascii: "0")
    }
}
