import Platform

/// The deadlines of waiting replies, the nearest first. Safe from any thread.
///
/// - Complexity: O(log n) for `insert` and `remove`: each reply knows its place in the heap.
final class DeadlineQueue: Sendable {
    private struct Entry {
        let deadlineNanoseconds: Int64
        let reply: DeferredReply
    }

    private let heap = Lock<[Entry]>([])

    var nearestNanoseconds: Int64? { heap.withLock { $0.first?.deadlineNanoseconds } }

    func insert(_ reply: DeferredReply, deadlineNanoseconds: Int64) {
        heap.withLock { heap in
            heap.append(Entry(deadlineNanoseconds: deadlineNanoseconds, reply: reply))
            reply.queuePlace = heap.count - 1
            Self.rise(&heap, from: heap.count - 1)
        }
    }

    /// Does nothing when the reply is not queued.
    func remove(_ reply: DeferredReply) {
        heap.withLock { heap in
            guard let place = reply.queuePlace else { return }
            Self.remove(&heap, at: place)
        }
    }

    /// Takes out a reply whose deadline has passed.
    func popExpired(nowNanoseconds now: Int64) -> DeferredReply? {
        heap.withLock { heap in
            guard let first = heap.first, first.deadlineNanoseconds <= now else { return nil }
            Self.remove(&heap, at: 0)
            return first.reply
        }
    }

    private static func remove(_ heap: inout [Entry], at place: Int) {
        heap[place].reply.queuePlace = nil
        let last = heap.removeLast()
        guard place < heap.count else { return }
        heap[place] = last
        last.reply.queuePlace = place
        sink(&heap, from: place)
        rise(&heap, from: place)
    }

    private static func rise(_ heap: inout [Entry], from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard heap[place].deadlineNanoseconds < heap[parent].deadlineNanoseconds else { return }
            exchange(&heap, place, parent)
            place = parent
        }
    }

    private static func sink(_ heap: inout [Entry], from start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if heap[child].deadlineNanoseconds < heap[least].deadlineNanoseconds { least = child }
            }
            guard least != place else { return }
            exchange(&heap, place, least)
            place = least
        }
    }

    private static func exchange(_ heap: inout [Entry], _ first: Int, _ second: Int) {
        heap.swapAt(first, second)
        heap[first].reply.queuePlace = first
        heap[second].reply.queuePlace = second
    }
}
