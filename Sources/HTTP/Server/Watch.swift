import CMicroHTTPD
import Glibc
import Platform
import Synchronization

/// The thread that looks after what libmicrohttpd does not: deadlines of connections and of waiting replies, clients
/// that hang up while their connection is suspended, and sockets that linger after a refusal.
final class Watch: Sendable {
    private static let wakeIdentifier: UInt64 = 0
    private static let lingeringBit: UInt64 = 1 << 63

    private let epoll: Int32
    private let wakeDescriptor: Int32
    private let deadlines = DeadlineQueue()
    private let lingering = LingeringSockets()
    private let isOver = Atomic<Bool>(false)
    private let sleepsUntilNanoseconds = Atomic<Int64>(0)
    /// The monotonic clock as of the last look around: for deadlines of seconds that is exact enough.
    private let tickNanoseconds = Atomic<Int64>(0)
    private let scanIntervalNanoseconds: Int64

    /// - Throws: when the system has no descriptors left.
    init(_ configuration: HTTPConfiguration) throws(HTTPStartFailure) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, wakeDescriptor >= 0,
            pyra_epoll_add(epoll, wakeDescriptor, EPOLLIN.rawValue, Self.wakeIdentifier)
        else {
            throw HTTPStartFailure(
                description: "cannot watch sockets: \(SystemError.current)", addressInUse: false)
        }
        let shortest = min(
            configuration.headerTimeoutMilliseconds, configuration.bodyTimeoutMilliseconds,
            configuration.idleTimeoutMilliseconds)
        scanIntervalNanoseconds = min(max(shortest / 8, 5), 100) * 1_000_000
        tickNanoseconds.store(Clock.monotonicNanoseconds(), ordering: .relaxed)
    }

    deinit {
        close(epoll)
        close(wakeDescriptor)
    }

    var tick: Int64 { tickNanoseconds.load(ordering: .relaxed) }

    // MARK: From any thread

    func connectionOpened() {
        tickNanoseconds.store(Clock.monotonicNanoseconds(), ordering: .relaxed)
        if sleepsUntilNanoseconds.load(ordering: .sequentiallyConsistent) == .max { wake() }
    }

    func schedule(_ reply: DeferredReply) {
        guard let deadline = reply.deadlineNanoseconds else { return }
        deadlines.insert(reply, deadlineNanoseconds: deadline)
        if deadline < sleepsUntilNanoseconds.load(ordering: .sequentiallyConsistent) { wake() }
    }

    func unschedule(_ reply: DeferredReply) {
        if reply.deadlineNanoseconds != nil { deadlines.remove(reply) }
    }

    /// Asks to be told once when the other side closes its half.
    func addHangUp(of connection: Connection, socket: Int32) -> Bool {
        let events = EPOLLRDHUP.rawValue | EPOLLONESHOT.rawValue
        return pyra_epoll_add(epoll, socket, events, connection.identifier)
    }

    func removeHangUp(socket: Int32) { pyra_epoll_remove(epoll, socket) }

    /// Keeps a refused client's socket open for reading until it has seen its answer: closing with unread bytes would
    /// reset the connection and take the answer with it.
    func linger(_ socket: Int32) {
        let copy = pyra_duplicate(socket)
        guard copy >= 0 else { return }
        shutdown(copy, Int32(SHUT_WR))
        guard lingering.add(copy, nowNanoseconds: Clock.monotonicNanoseconds()) else {
            close(copy)
            return
        }
        let events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue
        if !pyra_epoll_add(epoll, copy, events, Self.lingeringBit | UInt64(UInt32(bitPattern: copy))) {
            lingering.close(copy)
        }
        wake()
    }

    func end() {
        isOver.store(true, ordering: .sequentiallyConsistent)
        wake()
    }

    private func wake() {
        var one: UInt64 = 1
        write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }

    // MARK: On its own thread

    func run(_ context: ServerContext) {
        var nextScan: Int64 = 0
        while !isOver.load(ordering: .sequentiallyConsistent) {
            let now = Clock.monotonicNanoseconds()
            tickNanoseconds.store(now, ordering: .relaxed)
            while let reply = deadlines.popExpired(nowNanoseconds: now) { reply.cancel(.deadline) }
            lingering.closeExpired(nowNanoseconds: now)
            let hasConnections = !context.connections.isEmpty
            if hasConnections && now >= nextScan {
                for connection in context.connections.all { connection.inspect(nowNanoseconds: now) }
                nextScan = now + scanIntervalNanoseconds
            }
            sleep(until: hasConnections || !lingering.isEmpty ? max(nextScan, now + 1) : .max, context)
        }
        lingering.closeAll()
    }

    private func sleep(until target: Int64, _ context: ServerContext) {
        var target = target
        while true {
            sleepsUntilNanoseconds.store(target, ordering: .sequentiallyConsistent)
            // Looked at after the store: a reply scheduled in between either is seen here or sees the store.
            let nearest = min(target, deadlines.nearestNanoseconds ?? .max)
            if nearest == target { break }
            target = nearest
        }
        if target == .max && !context.connections.isEmpty { return }
        let wait = target == .max ? -1 : max(0, (target - Clock.monotonicNanoseconds() + 999_999) / 1_000_000)
        let identifiersMax = 64
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: identifiersMax) { identifiers in
            let count = pyra_epoll_wait(
                epoll, identifiers.baseAddress, Int32(identifiersMax), Int32(clamping: wait))
            sleepsUntilNanoseconds.store(0, ordering: .sequentiallyConsistent)
            for identifier in identifiers[..<Int(count)] { handle(identifier, context) }
        }
    }

    private func handle(_ identifier: UInt64, _ context: ServerContext) {
        if identifier == Self.wakeIdentifier {
            var count: UInt64 = 0
            read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
        } else if identifier & Self.lingeringBit != 0 {
            lingering.drain(Int32(truncatingIfNeeded: identifier & ~Self.lingeringBit))
        } else {
            context.connections[identifier]?.clientHungUp()
        }
    }
}
