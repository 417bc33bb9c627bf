/// The newest record of each key of a partition: key hash → offset.
///
/// Two tables, each key in one of them: in memory those that were written lately, on disk those whose rows have left
/// memory, so that a key that nobody asks for costs next to nothing. A look-up tries memory first, and finds a key on disk
/// in the one or two pages of the file around its slot. Writing a key brings it back.
///
/// Holds full 64-bit hashes but no keys: the caller compares the key of the candidate's record. Not thread-safe.
struct KeyIndex: ~Copyable {
    private var hot: KeyTable
    private var cold: KeyTable?

    init(pages: any KeyPages) { hot = KeyTable(pages: pages) }

    var count: Int { hot.count + coldCount }
    /// Of them, those on disk.
    var coldCount: Int {
        switch cold {
        case .some(let cold): cold.count
        case .none: 0
        }
    }
    /// In memory.
    var allocatedBytes: Int {
        switch cold {
        case .some(let cold): hot.allocatedBytes + cold.allocatedBytes
        case .none: hot.allocatedBytes
        }
    }

    /// Where an entry stands; valid until the next change.
    struct Place {
        fileprivate let place: KeyTable.Place
        let isCold: Bool
    }

    /// Begins to load what a look-up of this hash will wait for.
    @inline(__always)
    func prefetch(_ hash: UInt64) { hot.prefetch(hash) }

    /// The first entry with this hash. Another key may have it too: compare, then go on with `next`.
    @inline(__always)
    func first(_ hash: UInt64) -> Place? {
        if let place = hot.first(hash) { return Place(place: place, isCold: false) }
        return firstCold(hash)
    }

    @inline(__always)
    private func firstCold(_ hash: UInt64) -> Place? {
        switch cold {
        case .some(let cold): cold.first(hash).map { Place(place: $0, isCold: true) }
        case .none: nil
        }
    }

    func next(after place: Place, _ hash: UInt64) -> Place? {
        if !place.isCold {
            if let next = hot.next(after: place.place, hash) { return Place(place: next, isCold: false) }
            return firstCold(hash)
        }
        switch cold {
        case .some(let cold):
            return cold.next(after: place.place, hash).map { Place(place: $0, isCold: true) }
        case .none: return nil
        }
    }

    @inline(__always)
    func offset(at place: Place) -> Int64 { place.place.entry.offset }

    /// The key was written again.
    @inline(__always)
    mutating func setOffset(at place: Place, _ offset: Int64) {
        if place.isCold {
            let hash = place.place.entry.hash
            remove(at: place)
            insert(hash, offset)
        } else {
            hot.setOffset(at: place.place, offset)
        }
    }

    @inline(__always)
    mutating func remove(at place: Place) {
        if place.isCold { cold?.remove(at: place.place) } else { hot.remove(at: place.place) }
    }

    /// - Precondition: the key is not there.
    @inline(__always)
    mutating func insert(_ hash: UInt64, _ offset: Int64) {
        let isThere = hot.insert(hash, offset)
        precondition(isThere, "memory always has a page, or the process has ended")
    }

    // MARK: Between the tables

    /// - Precondition: the key is not there.
    /// - Returns: false when there is no page for it, and it is not there.
    mutating func insertCold(_ hash: UInt64, _ offset: Int64, _ pages: any KeyPages) -> Bool {
        if cold == nil { cold = KeyTable(pages: pages) }
        return cold?.insert(hash, offset) ?? false
    }

    /// The row left memory. - Returns: false when there is no page for the key, and it stays in memory.
    mutating func cool(at place: Place, _ pages: any KeyPages) -> Bool {
        guard !place.isCold else { return true }
        let entry = place.place.entry
        guard insertCold(entry.hash, entry.offset, pages) else { return false }
        hot.remove(at: place.place)
        return true
    }

    /// The row is in memory again.
    mutating func warm(at place: Place) {
        guard place.isCold else { return }
        setOffset(at: place, offset(at: place))
        if coldCount == 0 { cold = nil }
    }

    /// What is allocated in memory, counted segment by segment.
    func walkedBytes() -> Int {
        switch cold {
        case .some(let cold): hot.walkedBytes() + cold.walkedBytes()
        case .none: hot.walkedBytes()
        }
    }
}
