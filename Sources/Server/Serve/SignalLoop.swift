import Glibc
import Platform

/// Takes SIGTERM, SIGINT and SIGHUP one after the other on one thread, so that handling them may do anything.
struct SignalLoop {
    enum Event { case stop, reload }

    private var signals = sigset_t()

    /// Blocks the signals for this thread and those that it starts: call it before any other thread exists.
    init() {
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // A reader of our output that goes away is an error of that write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        MappedFiles.endProcessOnError()
    }

    /// Waits for the next one.
    mutating func next() -> (event: Event, signal: Int32) {
        while true {
            var signal: Int32 = 0
            guard sigwait(&signals, &signal) == 0 else { continue }
            return (signal == SIGHUP ? .reload : .stop, signal)
        }
    }
}
