import CPlatform
import Synchronization

/// The only source of wall-clock time, so that tests can move it. Times are Unix milliseconds.
///
/// `now()` is exact and costs a `clock_gettime` (about 30 ns). `tick()` is at most about a millisecond behind and
/// costs one load: appends stamp their records with it. A thread refreshes the tick while somebody reads it and
/// sleeps otherwise, so an idle process does nothing.
public final class Clock: Sendable {
    private let shift = Atomic<Int64>(0)
    /// 0 while the refreshing thread sleeps.
    @usableFromInline let ticked = Atomic<Int64>(0)
    @usableFromInline let used = Atomic<Bool>(false)
    private let wakeUp = WakeUp()
    private let stopping = Atomic<Bool>(false)
    private let hasTicker = Atomic<Bool>(false)
    /// A clock that never moves by itself; `advance` moves it.
    private let frozenAt: Int64?

    package init(frozenAt: Int64? = nil) {
        self.frozenAt = frozenAt
    }

    package func now() -> Int64 {
        (frozenAt ?? Self.systemMilliseconds()) &+ shift.load(ordering: .relaxed)
    }

    @inlinable @inline(__always)
    public func tick() -> Int64 {
        let value = ticked.load(ordering: .relaxed)
        if value == 0 { return tickWhileAsleep() }
        if !used.load(ordering: .relaxed) { used.store(true, ordering: .relaxed) }
        return value
    }

    /// Moves the clock forward; `milliseconds` may be negative in tests of a clock set back.
    package func advance(milliseconds: Int64) {
        shift.wrappingAdd(milliseconds, ordering: .sequentiallyConsistent)
        if ticked.load(ordering: .relaxed) != 0 { ticked.store(now(), ordering: .relaxed) }
    }

    /// Takes back what `advance` has done.
    package func reset() { advance(milliseconds: 0 &- shift.load(ordering: .sequentiallyConsistent)) }

    @inline(never) @usableFromInline
    func tickWhileAsleep() -> Int64 {
        guard hasTicker.load(ordering: .relaxed) else { return now() }
        used.store(true, ordering: .relaxed)
        wakeUp.signal()
        return now()
    }

    /// Runs until `stop()`: call it on a thread of its own. Without it, `tick()` equals `now()`.
    package func runTicker() {
        hasTicker.store(true, ordering: .sequentiallyConsistent)
        defer { hasTicker.store(false, ordering: .relaxed) }
        let idleTicksMax = 50
        var idleTicks = 0
        while true {
            // Read before everything it guards, or a signal in between is slept through.
            let generation = wakeUp.generation
            if stopping.load(ordering: .sequentiallyConsistent) { break }
            if used.exchange(false, ordering: .relaxed) { idleTicks = 0 } else { idleTicks += 1 }
            if idleTicks > idleTicksMax {
                ticked.store(0, ordering: .sequentiallyConsistent)
                if !used.load(ordering: .relaxed) { wakeUp.wait(since: generation) }
                idleTicks = 0
                continue
            }
            ticked.store(now(), ordering: .relaxed)
            Self.sleep(nanoseconds: 1_000_000)
        }
        ticked.store(0, ordering: .relaxed)
    }

    package func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        wakeUp.signal()
    }

    /// Monotonic nanoseconds: for durations and deadlines of connections, never for data.
    package static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    private static func systemMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
    }

    /// Lets the calling thread sleep; never on a server's thread.
    package static func pause(milliseconds: Int) { sleep(nanoseconds: milliseconds * 1_000_000) }

    /// Between two steps that take the same lock: who waits for it has to be woken first, and would find it taken again.
    package static func giveWay() { sleep(nanoseconds: 50_000) }

    private static func sleep(nanoseconds: Int) {
        var time = timespec(tv_sec: 0, tv_nsec: nanoseconds)
        nanosleep(&time, nil)
    }
}
