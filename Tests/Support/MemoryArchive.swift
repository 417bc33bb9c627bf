import Platform
import StorageEngine

/// An object store in memory, any call of which fails when the test says so.
package final class MemoryArchive: ArchiveStore {
    package enum Call: Sendable { case put, get, list, delete }

    /// Which call fails, and how.
    package struct Plan: Sendable {
        /// The number of the call, from 1 on; nil: none fails.
        package var at: Int?
        package var calls: Set<Call> = [.put, .get, .list, .delete]
        /// It has its effect all the same: the answer was lost.
        package var comesLate = false
        /// All later ones fail too.
        package var lasts = false
        package init() {}
    }

    private struct State {
        var objects: [String: [UInt8]] = [:]
        var plan = Plan()
        var count = 0
        var isFailing = false
        var gets = 0
        var getMilliseconds = 0
        /// Of what is read: which byte is changed; `Int.min`: none.
        var flipped = Int.min
        var isShortened = false
    }

    private let state = Lock(State())

    package let location: String

    package init(_ location: String = "store:one") { self.location = location }

    package var keys: [String] { state.withLock { $0.objects.keys.sorted() } }
    package var gets: Int { state.withLock { $0.gets } }
    package var count: Int { state.withLock { $0.count } }
    package func content(of key: String) -> [UInt8]? { state.withLock { $0.objects[key] } }
    package func set(_ key: String, _ content: [UInt8]?) { state.withLock { $0.objects[key] = content } }

    /// The same objects, from here on for itself: what one server does to them another one's disk knows nothing of.
    package func clone() -> MemoryArchive {
        let objects = state.withLock { $0.objects }
        let copy = MemoryArchive(location)
        copy.state.withLock { $0.objects = objects }
        return copy
    }

    package func replace(_ plan: Plan) {
        state.withLock { state in
            state.plan = plan
            state.count = 0
            state.isFailing = false
        }
    }

    /// All calls fail from now on, or none.
    package func setDown(_ isDown: Bool) {
        var plan = Plan()
        plan.at = isDown ? 1 : nil
        plan.lasts = isDown
        replace(plan)
    }

    package func slow(getMilliseconds: Int) { state.withLock { $0.getMilliseconds = getMilliseconds } }
    package func flip(_ byte: Int?) { state.withLock { $0.flipped = byte ?? .min } }
    package func shorten(_ isShortened: Bool) { state.withLock { $0.isShortened = isShortened } }

    /// - Returns: whether it has an effect. - Throws: at once unless it comes late.
    private func judge(_ call: Call) -> (fails: Bool, acts: Bool) {
        state.withLock { state in
            guard state.plan.calls.contains(call) else { return (false, true) }
            state.count += 1
            guard state.count == state.plan.at || (state.isFailing && state.plan.lasts) else {
                return (false, true)
            }
            state.isFailing = true
            return (true, state.plan.comesLate)
        }
    }

    private static let refusal = ArchiveFailure("the test's store refuses")

    package func put(_ key: String, _ bytes: ByteBuffer) throws(ArchiveFailure) {
        let (fails, acts) = judge(.put)
        let content = bytes.array
        if acts { state.withLock { $0.objects[key] = content } }
        if fails { throw Self.refusal }
    }

    package func get(_ key: String, _ range: Range<Int>) throws(ArchiveFailure) -> ByteBuffer {
        let (fails, _) = judge(.get)
        let (content, pause, flipped, isShortened) = state.withLock { state in
            state.gets += 1
            return (state.objects[key], state.getMilliseconds, state.flipped, state.isShortened)
        }
        if pause > 0 { Clock.pause(milliseconds: pause) }
        if fails { throw Self.refusal }
        guard let content, range.upperBound <= content.count else {
            throw ArchiveFailure("there is no such object, or not so much of it", isMissing: true)
        }
        var bytes = Array(content[range])
        if bytes.indices.contains(flipped) { bytes[flipped] ^= 4 }
        if isShortened { bytes.removeLast() }
        return ByteBuffer(bytes)
    }

    package func list(_ prefix: String) throws(ArchiveFailure) -> [String] {
        if judge(.list).fails { throw Self.refusal }
        return keys.filter { $0.hasPrefix(prefix) }
    }

    package func delete(_ key: String) throws(ArchiveFailure) {
        let (fails, acts) = judge(.delete)
        if acts { set(key, nil) }
        if fails { throw Self.refusal }
    }
}

package struct NoArchive: Error { package init() {} }

extension Dictionary<String, MemoryArchive> {
    /// Opens these, by their names.
    package var open: OpenArchive {
        { [self] location in
            guard let store = self[location] else { throw NoArchive() }
            return store
        }
    }
}
