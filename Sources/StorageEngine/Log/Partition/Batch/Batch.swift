import Platform
import Synchronization

/// About a mebibyte of records, column by column. Buffers never move; below the committed count nothing ever changes.
package final class Batch: @unchecked Sendable {
    // Sendable: `header` is changed only under the partition's lock; readers outside it use copies of the header and
    // rows below the committed count, which are immutable.
    let header: UnsafeMutablePointer<BatchHeader>
    private let storage: Storage
    /// Its values are in the archive.
    let isStub: Bool
    private let account: MemoryAccount
    /// Under the partition's lock, except in `deinit`.
    private var addedColumns: [UnsafeMutableRawPointer] = []
    private var addedBytes = 0
    /// The slab and the columns beside it.
    var allocatedBytes: Int {
        if case .slab(_, let bytes, _) = storage { bytes + addedBytes } else { addedBytes }
    }
    private(set) var chargedBytes: Int
    /// Its columns are read from a segment.
    var isMapped: Bool { if case .mapped = storage { true } else { false } }
    /// What it takes in memory, or on disk if it is not in memory.
    var footprintBytes: Int {
        isMapped
            ? chargedBytes + (stored?.piece.bytes ?? 0) + (archived?.piece.bytes ?? 0) : chargedBytes
    }
    /// This object, its header and its companion.
    static let fixedBytes = MemoryLayout<BatchHeader>.stride + 336
    private var chargedKind = MemoryKind.payload
    let companion = Companion()
    private static let lastSerial = Atomic<UInt64>(0)
    /// Where its rows lie on disk. Under the partition's lock.
    var stored: StoredImage?
    /// Where else all of it is. Under the partition's lock; of a stub it never changes.
    var archived: ArchivedBatch?

    /// Where its columns lie.
    private enum Storage {
        case slab(UnsafeMutableRawPointer, bytes: Int, SlabPool)
        /// In a segment: they are never written to, because the batch is sealed.
        case mapped(any MappedBytes)
    }

    static func nextSerial() -> UInt64 { lastSerial.wrappingAdd(1, ordering: .relaxed).newValue }

    init(base: Int64, plan: ColumnPlan, pool: SlabPool, account: MemoryAccount) {
        self.account = account
        isStub = false
        let slab = pool.allocate(bytes: plan.slabBytes)
        storage = .slab(slab, bytes: plan.slabBytes, pool)
        chargedBytes = plan.slabBytes + Self.fixedBytes
        account.charge(.payload, chargedBytes)
        header = .allocate(capacity: 1)
        header.initialize(to: Self.layOut(plan, base: base, in: slab))
        header.pointee.valueOffsets[0] = 0
        header.pointee.keyOffsets?[0] = 0
        header.pointee.extrasOffsets?[0] = 0
    }

    /// A sealed batch whose columns stay where they are.
    init(
        _ image: BatchImage, in mapping: any MappedBytes, archived: ArchivedBatch? = nil,
        account: MemoryAccount
    ) {
        self.account = account
        self.archived = archived
        isStub = image.isStub
        storage = .mapped(mapping)
        chargedBytes = Self.fixedBytes
        account.charge(.payload, chargedBytes)
        header = .allocate(capacity: 1)
        header.initialize(to: BatchHeader(image))
    }

    deinit {
        account.release(chargedKind, chargedBytes)
        for column in addedColumns { column.deallocate() }
        header.deinitialize(count: 1)
        header.deallocate()
        if case .slab(let slab, let bytes, let pool) = storage { pool.free(slab, bytes: bytes) }
    }

    private static func layOut(_ plan: ColumnPlan, base: Int64, in slab: UnsafeMutableRawPointer)
        -> BatchHeader
    {
        var cursor = SlabCursor()
        func column<Element>(_ count: Int, of type: Element.Type) -> UnsafeMutablePointer<Element> {
            (slab + cursor.take(count * MemoryLayout<Element>.stride)).bindMemory(to: type, capacity: count)
        }
        func optional<Element>(
            _ kind: ColumnPlan.Columns, _ count: Int, of type: Element.Type
        ) -> UnsafeMutablePointer<Element>? {
            plan.columns.contains(kind) ? column(count, of: type) : nil
        }
        let rows = plan.rows
        let timestamps = column(rows, of: Int64.self)
        let valueOffsets = column(rows + 1, of: Int32.self)
        let keyOffsets = optional(.keys, rows + 1, of: Int32.self)
        let extrasOffsets = optional(.extras, rows + 1, of: Int32.self)
        let deadlines = optional(.deadlines, rows, of: Int64.self)
        let arrivals = optional(.arrivals, rows, of: Int64.self)
        let deltas = optional(.deltas, rows, of: UInt32.self)
        let types = optional(.types, rows, of: UInt8.self)
        let priorities = optional(.priorities, rows, of: UInt8.self)
        let keys = keyOffsets.map { _ in slab + cursor.take(plan.keyBytes) }
        let extras = extrasOffsets.map { _ in slab + cursor.take(plan.extrasBytes) }
        return BatchHeader(
            serial: nextSerial(), base: base, capacityRows: rows,
            endOfRange: base, deltas: deltas,
            timestamps: timestamps, valueOffsets: valueOffsets,
            values: slab + cursor.position, valueCapacity: plan.slabBytes - cursor.position,
            keyOffsets: keyOffsets, keys: keys, keyCapacity: plan.keyBytes,
            extrasOffsets: extrasOffsets, extras: extras, extrasCapacity: plan.extrasBytes,
            types: types, priorities: priorities, deadlines: deadlines, arrivals: arrivals)
    }

    // MARK: Under the partition's lock

    /// Adds a column of fixed width on its first use, filled with the default in the rows that are there.
    func addColumn<Element>(_ initial: Element) -> UnsafeMutablePointer<Element> {
        addColumn(initial, count: header.pointee.capacityRows)
    }

    private func addColumn<Element>(_ initial: Element, count: Int) -> UnsafeMutablePointer<Element> {
        let column = UnsafeMutablePointer<Element>.allocate(capacity: count)
        column.initialize(repeating: initial, count: count)
        addedColumns.append(UnsafeMutableRawPointer(column))
        addedBytes += count * MemoryLayout<Element>.stride
        charge(count * MemoryLayout<Element>.stride)
        return column
    }

    /// - Returns: true when the row was present.
    @discardableResult
    func clearPresent(_ row: Int) -> Bool {
        guard header.pointee.isPresent(row) else { return false }
        clear(row, in: &header.pointee.present)
        header.pointee.presentCount -= 1
        return true
    }

    @discardableResult
    func clearNewest(_ row: Int) -> Bool {
        guard header.pointee.isNewest(row) else { return false }
        clear(row, in: &header.pointee.newest)
        header.pointee.newestCount -= 1
        return true
    }

    /// Stored only if it was not set: most visits are of what was visited before.
    @inline(__always)
    func markVisited(_ row: Int) {
        if !header.pointee.isVisited(row) { setVisited(row) }
    }

    @inline(never)
    private func setVisited(_ row: Int) {
        if header.pointee.visited == nil {
            let words = (header.pointee.capacityRows + 63) / 64
            header.pointee.visited = addColumn(UInt64(0), count: words)
        }
        header.pointee.visited?[row >> 6] |= 1 &<< UInt64(row & 63)
    }

    func clearVisited(_ row: Int) { header.pointee.visited?[row >> 6] &= ~(1 &<< UInt64(row & 63)) }

    /// What was dead when the batch was written. Before any other thread sees it.
    func restore(present: Bitmap?, newest: Bitmap?) {
        let rows = 0..<header.pointee.rows
        header.pointee.present = present
        header.pointee.newest = newest
        if let present {
            charge(present.allocatedBytes)
            header.pointee.presentCount = present.count(in: rows)
        }
        if let newest {
            charge(newest.allocatedBytes)
            header.pointee.newestCount = newest.count(in: rows)
        }
    }

    private func clear(_ row: Int, in bitmap: inout Bitmap?) {
        if bitmap == nil {
            let fresh = Bitmap(rows: header.pointee.capacityRows)
            charge(fresh.allocatedBytes)
            bitmap = fresh
        } else if !isKnownUniquelyReferenced(&bitmap) {
            bitmap = bitmap?.copy()
        }
        bitmap?.clear(row)
    }

    private func charge(_ bytes: Int) {
        chargedBytes += bytes
        account.charge(chargedKind, bytes)
    }

    /// The partition lets go of it; readers may still hold it, and what they hold is charged apart.
    func leavePartition() {
        account.release(chargedKind, chargedBytes)
        chargedKind = .pinned
        account.charge(.pinned, chargedBytes)
    }

    @inline(__always)
    func record(_ row: Int, partition: Int) -> Record {
        let key = header.pointee.key(row)
        return Record(
            offset: Offset(header.pointee.offset(ofRow: row)), timestamp: header.pointee.timestamps[row],
            arrival: header.pointee.arrival(row), deadline: header.pointee.deadline(row),
            type: header.pointee.type(row), priority: header.pointee.priority(row), partition: partition,
            keyBytes: key ?? UnsafeRawBufferPointer(start: nil, count: 0), hasKey: key != nil,
            value: header.pointee.value(row), extrasBytes: header.pointee.extras(row), batch: self)
    }
}
