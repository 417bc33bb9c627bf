import Platform

package struct HeaderField: Sendable {
    package var name: StaticString
    package var value: String
    package init(_ name: StaticString, _ value: String) {
        self.name = name
        self.value = value
    }
}

package struct Response: Sendable {
    package var status: Int
    package var contentType: String?
    package var fields: [HeaderField]
    package var body: ResponseBody
    /// False forbids gzip and zstd (raw key values, event streams).
    package var mayBeCompressed = true
    /// Adds `Connection: close`.
    package var closesConnection = false

    package init(status: Int, contentType: String? = nil, fields: [HeaderField] = [], body: ResponseBody = .empty) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
    }
}

package enum ResponseBody: Sendable {
    case empty
    case bytes([UInt8])
    /// Bytes that stay valid while `owner` is retained; sent without a copy when large.
    case pinned(Pinned)
    case stream(any ResponseSource)

    package struct Pinned: @unchecked Sendable {
        // Sendable: the memory is immutable while the owner lives.
        package let bytes: UnsafeRawBufferPointer
        package let owner: AnyObject
        package init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) {
            self.bytes = bytes
            self.owner = owner
        }
    }
}

/// Produces a body of unknown length, on a server thread, without ever blocking it.
package protocol ResponseSource: AnyObject, Sendable {
    /// Called once before the first `read`; `waker` may be called from any thread, any number of times.
    func start(waker: any StreamWaker)
    /// Writes at most `buffer.count` bytes. `.wait` suspends until `waker.wake()`; a wake before the suspension counts.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep
    /// Called exactly once when no further `read` will come: the end, an error, a hang-up, the server's stop.
    func finished()
}

package enum StreamStep: Sendable {
    case bytes(Int)
    case wait
    case end
    /// Ends without the closing chunk, so that the client sees an unfinished body.
    case abort
}

package protocol StreamWaker: Sendable {
    func wake()
}
