import HeapModule
import Platform
import Synchronization

/// One thread that gives memory back: it visits partitions when something in them is due, never all of them, and makes
/// data give way in rounds between the visits.
final class Maintenance: Sendable {
    /// A partition is not visited more often: expiry is exact for readers whatever this says.
    static let intervalMilliseconds: Int64 = 100

    private struct Appointment: Comparable, Sendable {
        let time: Int64
        /// Not weak: a weak reference would slow down every retain of the partition from then on.
        let partition: Partition

        static func < (left: Self, right: Self) -> Bool { left.time < right.time }
        static func == (left: Self, right: Self) -> Bool { left.time == right.time }
    }

    private let clock: Clock
    private let evictor: Evictor
    private let appointments = Lock(Heap<Appointment>())
    private let wakeUp = WakeUp()
    private let isStopping = Atomic<Bool>(false)
    private let lag = Atomic<Int64>(0)
    /// The last time that was looked at, in Unix milliseconds.
    private let lastLook = Atomic<Int64>(.min)

    init(clock: Clock, evictor: Evictor) {
        self.clock = clock
        self.evictor = evictor
    }

    /// How late the last visit was, or the one that is due now is, in milliseconds.
    var lagMilliseconds: Int64 {
        let due = appointments.withLock { $0.min?.time }
        let waiting = due.map { $0 > 0 ? max(0, clock.now() - $0) : 0 } ?? 0
        return max(lag.load(ordering: .relaxed), waiting)
    }

    func schedule(_ partition: Partition, at time: Int64) {
        let isEarliest = appointments.withLock { heap in
            heap.insert(Appointment(time: time, partition: partition))
            return heap.min?.partition === partition
        }
        if isEarliest { wakeUp.signal() }
    }

    /// A deleted log's memory does not wait for its last deadline. - Complexity: O(appointments).
    func forget(_ partitions: [Partition]) {
        let forgotten = Set(partitions.map { ObjectIdentifier($0) })
        appointments.withLock { heap in
            heap = Heap(heap.unordered.filter { !forgotten.contains(ObjectIdentifier($0.partition)) })
        }
    }

    /// After the clock was moved.
    func poke() { wakeUp.signal() }

    /// Until `stop()`, on a thread of its own.
    func run() {
        while true {
            // Read before everything it guards, or a signal in between is slept through.
            let generation = wakeUp.generation
            if isStopping.load(ordering: .sequentiallyConsistent) { return }
            if evictor.runRound() {
                _ = visitDue()
                continue
            }
            let pause = visitDue()
            if pause > 0 { wakeUp.wait(since: generation, timeoutNanoseconds: pause * 1_000_000) }
        }
    }

    func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        wakeUp.signal()
    }

    /// A clock that was set back: what was due soon would not be before it is there again. A visit too many does no harm.
    private func bringForwardIfSetBack() {
        let now = clock.now()
        let earlier = lastLook.exchange(now, ordering: .relaxed)
        guard earlier > now else { return }
        appointments.withLock { heap in
            heap = Heap(
                heap.unordered.map { appointment in
                    Appointment(
                        time: max(0, appointment.time - (earlier - now)),
                        partition: appointment.partition)
                })
        }
    }

    /// Visits what is due. - Returns: milliseconds until the next appointment.
    func visitDue() -> Int64 {
        // The clock may be moved forward meanwhile, and back again: what expires is swept a second later.
        let pauseMax: Int64 = 1_000
        let idlePause: Int64 = 60_000
        bringForwardIfSetBack()
        var visited: Set<ObjectIdentifier> = []
        while !isStopping.load(ordering: .relaxed) {
            let now = clock.now()
            let (due, next) = appointments.withLock { heap -> (Appointment?, Int64?) in
                guard let first = heap.min else { return (nil, nil) }
                guard first.time <= now else { return (nil, first.time) }
                return (heap.popMin(), nil)
            }
            guard let due else { return next.map { min(pauseMax, max(1, $0 - now)) } ?? idlePause }
            lag.store(due.time > 0 ? now - due.time : 0, ordering: .relaxed)
            guard visited.insert(ObjectIdentifier(due.partition)).inserted else {
                // Came up again during this round: let the interval pass.
                schedule(due.partition, at: now + Self.intervalMilliseconds)
                return Self.intervalMilliseconds
            }
            due.partition.maintain(now: now)
        }
        return 0
    }
}
