/// A request to a server.
package struct ClientRequest {
    package enum Body {
        case none
        case bytes([UInt8])
        /// Read from an open descriptor to its end while it is sent. Without a length it is sent in chunks.
        case file(descriptor: Int32, length: Int?)
        /// Asked for piece by piece while it is sent: `read` fills the buffer with the bytes from an offset on.
        case pieces(length: Int, read: (_ offset: Int, UnsafeMutableRawBufferPointer) throws -> Void)
    }

    package var method: String
    package var url: String
    package var fields: [(name: String, value: String)] = []
    package var body = Body.none
    /// Is called with what was read from a file, before it is sent.
    package var sent: ((UnsafeRawBufferPointer) -> Void)?
    package var limits = TransferLimits()
    /// Signs the request as AWS wants it.
    package var signature: AWSSignature?
    /// A file of certificates in PEM; nil for those of the system.
    package var authoritiesFile: String?
    /// Asked several times a second while something moves, and once a second otherwise; true ends the transfer.
    package var isCancelled: (() -> Bool)?

    package init(_ method: String, _ url: String) {
        self.method = method
        self.url = url
    }
}

/// How long a transfer may take.
package struct TransferLimits: Sendable {
    package var connectSeconds = 10
    /// Ends a transfer that has been slower than `bytesPerSecondMin` for so long; nil waits for ever.
    package var silenceSeconds: Int? = 60
    package var bytesPerSecondMin = 1
    /// From the first packet to the last byte.
    package var totalSeconds: Int?

    package init() {}
}

/// What version 4 of AWS's signatures is made of.
///
/// libcurl 7.88 signs the path and the query as they stand in the URL, so both must be encoded as AWS wants them and the
/// query be in order; it signs every field of the request; and it takes `x-amz-content-sha256`, which it does not send by
/// itself, for the hash of the body. Without that field a body that is read while it is sent is signed as if it were empty.
package struct AWSSignature: Sendable {
    package let region: String
    package let service: String
    package let accessKeyID: String
    package let secretAccessKey: String

    package init(region: String, service: String, accessKeyID: String, secretAccessKey: String) {
        self.region = region
        self.service = service
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
    }
}
