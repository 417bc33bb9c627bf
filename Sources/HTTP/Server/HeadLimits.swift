/// What every request is held against: plain numbers, so that looking at them counts no references.
struct HeadLimits: Sendable {
    let targetBytesMax: Int
    let headerBytesMax: Int
    /// Of a connection's memory, so that the head of an answer still fits in.
    let usedMemoryBytesMax: Int

    init(_ configuration: HTTPConfiguration) {
        targetBytesMax = configuration.targetBytesMax
        headerBytesMax = configuration.headerBytesMax
        usedMemoryBytesMax = configuration.connectionMemoryBytes - HTTPConfiguration.answerHeadBytes / 2
    }
}
