package enum Reply: Sendable {
    case now(Response)
    /// The answer comes later, from any thread, through the `DeferredReply` made by `request.deferReply`.
    case later(DeferredReply)
}
