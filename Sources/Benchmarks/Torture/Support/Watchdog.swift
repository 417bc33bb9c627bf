import Glibc
import Platform

/// Ends the process when a test hangs: a loop without end is a failure like any other, and has to be seen.
final class Watchdog: Sendable {
    private let isOver = AtomicFlag()

    init(test: String, scale: Double) {
        // Several times what the slowest test takes on two cores.
        let secondsMax = 60 + 2400 * scale
        let watch = Stopwatch()
        let isOver = isOver
        _ = Thread(name: "watchdog") {
            while !isOver.isRaised {
                Clock.pause(milliseconds: 100)
                guard watch.seconds > secondsMax else { continue }
                say("FAILED \(test): it hangs: still running after \(watch.text)")
                exit(1)
            }
        }
    }

    func stop() { isOver.raise() }
}
