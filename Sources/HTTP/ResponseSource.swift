/// Produces a body of unknown length, on a server thread, without ever blocking it.
package protocol ResponseSource: AnyObject, Sendable {
    /// Called once before the first `read`; `waker` may be called from any thread, any number of times.
    /// Not called when no body is sent (`HEAD`, a hang-up before the first byte).
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
