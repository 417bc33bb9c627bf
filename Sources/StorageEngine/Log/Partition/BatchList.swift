import Platform

/// The batches of a partition in offset order, and where to find an offset: stripes of 1024 offsets point at the first
/// batch that may hold one of theirs. Not thread-safe.
struct BatchList {
    private static let stripeShift: Int64 = 10

    private(set) var batches: ContiguousArray<Batch> = []
    /// The same batches' headers: read without touching reference counts.
    private(set) var headers: ContiguousArray<UnsafeMutablePointer<BatchHeader>> = []
    /// Batch positions counted from the first batch ever, so that removals at the front leave them alone.
    private var stripes: ContiguousArray<Int> = []
    private var firstStripe: Int64 = 0
    private var removedAtFront = 0

    var count: Int { headers.count }
    var isEmpty: Bool { headers.isEmpty }

    /// - Precondition: it begins where the last one ends, or later.
    mutating func append(_ batch: Batch) {
        let base = batch.header.pointee.base
        if stripes.isEmpty { firstStripe = base >> Self.stripeShift }
        batches.append(batch)
        headers.append(batch.header)
        addStripes(for: headers.count - 1)
    }

    private mutating func addStripes(for position: Int) {
        let base = headers[position].pointee.base
        let stripe = base >> Self.stripeShift
        while firstStripe + Int64(stripes.count) <= stripe {
            let stripeStart = (firstStripe + Int64(stripes.count)) << Self.stripeShift
            let holder = stripeStart < base ? max(0, position - 1) : position
            stripes.append(holder + removedAtFront)
        }
    }

    /// The position of the batch whose range holds the offset, or the first one after it; `count` when there is none.
    @inline(__always)
    func position(of offset: Int64) -> Int {
        let last = headers.count &- 1
        if last < 0 { return 0 }
        if offset >= headers[last].pointee.base {
            return offset < headers[last].pointee.endOfRange ? last : last &+ 1
        }
        let stripe = Int(truncatingIfNeeded: (offset >> Self.stripeShift) &- firstStripe)
        if stripe < 0 { return 0 }
        var low = max(0, stripes[min(stripe, stripes.count &- 1)] &- removedAtFront)
        var high = stripe &+ 1 < stripes.count ? min(last, stripes[stripe &+ 1] &- removedAtFront) : last
        // The last batch in low...high with base <= offset; batches are disjoint and sorted.
        while low < high {
            let middle = (low &+ high &+ 1) / 2
            if headers[middle].pointee.base <= offset { low = middle } else { high = middle &- 1 }
        }
        return offset < headers[low].pointee.endOfRange ? low : low &+ 1
    }

    /// Begins to load the header and the reference count of a batch, if there is one at the position.
    @inline(__always)
    func prefetch(_ position: Int) {
        guard position < headers.count else { return }
        Platform.prefetch(headers[position], bytes: MemoryLayout<BatchHeader>.size)
        Platform.prefetch(batches[position], bytes: 64)
    }

    /// Begins to load what a `BatchMark` is made of.
    @inline(__always)
    func prefetchMark(_ position: Int) {
        guard position < headers.count else { return }
        Platform.prefetch(headers[position], bytes: BatchHeader.markBytes)
    }

    mutating func removeFirst(_ number: Int) {
        batches.removeFirst(number)
        headers.removeFirst(number)
        removedAtFront += number
        trimStripes()
    }

    private mutating func trimStripes() {
        guard let base = headers.first?.pointee.base else {
            stripes.removeAll()
            return
        }
        let unused = Int((base >> Self.stripeShift) - firstStripe)
        if unused > 64, unused > stripes.count / 2 {
            stripes.removeFirst(unused)
            firstStripe += Int64(unused)
        }
    }

    /// Puts `successors` in the place of the batches at `range`.
    /// - Complexity: O(batches behind the range).
    mutating func replace(_ range: Range<Int>, with successors: [Batch]) {
        batches.replaceSubrange(range, with: successors)
        headers.replaceSubrange(range, with: successors.map(\.header))
        guard let first = headers.first?.pointee.base else {
            stripes.removeAll()
            return
        }
        let rebuiltFrom = max(0, min(range.lowerBound, headers.count - 1) - 1)
        // A stripe that begins before the rebuilt batch has an earlier holder, whose position stands.
        let base = headers[rebuiltFrom].pointee.base
        let stripe = base >> Self.stripeShift
        let beginsEarlier = (stripe << Self.stripeShift) < base ? 1 : 0
        let keptStripes = Int(max(0, stripe - firstStripe)) + beginsEarlier
        if rebuiltFrom == 0 {
            stripes.removeAll()
            firstStripe = first >> Self.stripeShift
        } else {
            stripes.removeLast(max(0, stripes.count - keptStripes))
        }
        for position in rebuiltFrom..<headers.count { addStripes(for: position) }
    }

    var allocatedBytes: Int { (batches.capacity + headers.capacity + stripes.capacity) * 8 }
}
