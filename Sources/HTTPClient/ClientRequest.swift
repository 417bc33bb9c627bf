/// A request to a server of ours.
package struct ClientRequest {
    package enum Body {
        case none
        case bytes([UInt8])
        /// Read from an open descriptor to its end while it is sent. Without a length it is sent in chunks.
        case file(descriptor: Int32, length: Int?)
    }

    package var method: String
    package var url: String
    package var fields: [(name: String, value: String)] = []
    package var body = Body.none
    /// Ends a transfer in which nothing has arrived for so long; nil waits for ever.
    package var silenceTimeoutSeconds: Int? = 60

    package init(_ method: String, _ url: String) {
        self.method = method
        self.url = url
    }
}
