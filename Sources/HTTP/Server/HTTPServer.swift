import CMicroHTTPD
import Glibc
import Metrics
import Platform
import Synchronization

/// libmicrohttpd with our own framing checks, deadlines and limits around it.
package final class HTTPServer: @unchecked Sendable {
    // Sendable: `daemon` is written in `init` and used by the one caller of `stop` that won.
    package let port: UInt16

    private let context: ServerContext
    private let daemon: OpaquePointer
    private let watchThread: Platform.Thread
    private let isStopped = Atomic<Bool>(false)

    /// Binds, listens and serves.
    package init(configuration: HTTPConfiguration, router: Router, metrics: MetricsRegistry)
        throws(HTTPStartFailure)
    {
        signal(SIGPIPE, SIG_IGN)
        pyra_raise_descriptor_limit()
        let watch = try Watch(configuration)
        let context = ServerContext(configuration, router, metrics, watch)
        let listener = try Listener(host: configuration.host, port: configuration.port)
        guard let daemon = Callbacks.start(context, listener.socket) else {
            listener.close()
            throw HTTPStartFailure(description: "libmicrohttpd did not start", addressInUse: false)
        }
        self.context = context
        self.daemon = daemon
        port = listener.port
        watchThread = Platform.Thread(name: "http-watch") { watch.run(context) }
    }

    deinit { stop(graceMilliseconds: 0) }

    /// Stops accepting, lets running requests finish for at most `graceMilliseconds`, answers what still waits, closes.
    package func stop(graceMilliseconds: Int64) {
        guard !isStopped.exchange(true, ordering: .sequentiallyConsistent) else { return }
        context.isStopping.store(true, ordering: .sequentiallyConsistent)
        let listener = MHD_quiesce_daemon(daemon)
        // Refuses those who are waiting to be accepted instead of leaving them there.
        if listener >= 0 { shutdown(listener, Int32(SHUT_RDWR)) }
        for connection in context.connections.all { connection.stopWaiting(isFinal: false) }
        wait(atMostMilliseconds: graceMilliseconds) { !$0.contains(where: \.isBusy) }
        for connection in context.connections.all { connection.stopWaiting(isFinal: true) }
        let lastAnswersMilliseconds: Int64 = 1000
        wait(atMostMilliseconds: lastAnswersMilliseconds) { !$0.contains(where: \.isBusy) }
        // Nothing may be suspended when the daemon stops: it would end the process. What was cancelled is resumed without
        // delay, unless an `onCancel` hangs; then the threads are left to the end of the process.
        let suspended = { [gauges = context.metrics.gauges] in gauges.suspended.load(ordering: .acquiring) }
        let lastResumesMilliseconds: Int64 = 5000
        wait(atMostMilliseconds: lastResumesMilliseconds) { _ in suspended() == 0 }
        guard suspended() == 0 else { return }
        // Version 0.9.75 crashes when it finds a malformed request while it stops: let no request be parsed any more.
        wait(atMostMilliseconds: lastAnswersMilliseconds) { connections in
            for connection in connections { connection.shutDown(SHUT_RDWR) }
            return connections.isEmpty
        }
        MHD_stop_daemon(daemon)
        if listener >= 0 { close(listener) }
        context.watch.end()
        watchThread.join()
        Callbacks.release(context)
    }

    /// For memory: ends the answer that a client is the slowest in taking.
    /// - Returns: false when no client has been slow for more than a second.
    package func endSlowestAnswer() -> Bool { context.endSlowestAnswer() }

    private func wait(atMostMilliseconds: Int64, until isDone: ([Connection]) -> Bool) {
        let start = Clock.monotonicNanoseconds()
        var pauseNanoseconds: Int64 = 200_000
        let pause = WakeUp()
        while true {
            let connections = context.connections.all
            for connection in connections { connection.closeIfIdle() }
            let elapsed = (Clock.monotonicNanoseconds() - start) / 1_000_000
            if isDone(connections) || elapsed >= atMostMilliseconds { return }
            pause.wait(since: pause.generation, timeoutNanoseconds: pauseNanoseconds)
            pauseNanoseconds = min(pauseNanoseconds * 2, 10_000_000)
        }
    }
}
