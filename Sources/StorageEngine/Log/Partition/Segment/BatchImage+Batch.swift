import Platform

// From an image back to a batch.

extension BatchImage {
    /// Of a sealed batch, whose columns it points into.
    init(_ header: BatchHeader) {
        let arrivals = header.arrivals.map { UnsafePointer($0) }
        let deadlines = header.deadlines.map { UnsafePointer($0) }
        let priorities = header.priorities.map { UnsafePointer($0) }
        let types = header.types.map { UnsafePointer($0) }
        let deltas = header.deltas.map { UnsafePointer($0) }
        var columns = header.usedColumns
        if deltas != nil { columns.insert(.deltas) }
        self.init(
            rows: header.rows, base: header.base, endOfRange: header.endOfRange, columns: columns,
            timestamps: UnsafePointer(header.timestamps), valueOffsets: UnsafePointer(header.valueOffsets),
            values: UnsafeRawPointer(header.values), keyOffsets: header.keyOffsets.map { UnsafePointer($0) },
            keys: header.keys.map { UnsafeRawPointer($0) },
            extrasOffsets: header.extrasOffsets.map { UnsafePointer($0) },
            extras: header.extras.map { UnsafeRawPointer($0) }, deltas: deltas, types: types,
            priorities: priorities, deadlines: deadlines, arrivals: arrivals, valueBytes: header.valueBytes,
            keyBytes: header.keyBytes, extrasBytes: header.extrasBytes, isStub: header.isStub)
    }

    func offset(ofRow row: Int) -> Int64 { base + (deltas.map { Int64($0[row]) } ?? Int64(row)) }

    /// About what its batch takes in memory.
    var footprintBytes: Int { valueBytes + keyBytes + extrasBytes + rows * ColumnPlan.fixedBytes(columns) }
}

extension BatchHeader {
    /// Columns point into the image, whose memory the batch keeps and never writes to.
    init(_ image: BatchImage) {
        func column<Element>(_ pointer: UnsafePointer<Element>?) -> UnsafeMutablePointer<Element>? {
            pointer.map { UnsafeMutablePointer(mutating: $0) }
        }
        func bytes(_ pointer: UnsafeRawPointer?) -> UnsafeMutableRawPointer? {
            pointer.map { UnsafeMutableRawPointer(mutating: $0) }
        }
        let keys = bytes(image.keys)
        let extras = bytes(image.extras)
        let types = column(image.types)
        let priorities = column(image.priorities)
        let deadlines = column(image.deadlines)
        let arrivals = column(image.arrivals)
        self.init(
            serial: Batch.nextSerial(), base: image.base, capacityRows: image.rows, rows: image.rows,
            endOfRange: image.endOfRange, deltas: column(image.deltas),
            timestamps: UnsafeMutablePointer(mutating: image.timestamps),
            valueOffsets: UnsafeMutablePointer(mutating: image.valueOffsets),
            values: UnsafeMutableRawPointer(mutating: image.values), valueCapacity: image.valueBytes,
            keyOffsets: column(image.keyOffsets), keys: keys, keyCapacity: image.keyBytes,
            extrasOffsets: column(image.extrasOffsets), extras: extras, extrasCapacity: image.extrasBytes,
            types: types, priorities: priorities,
            deadlines: deadlines,
            arrivals: arrivals)
        presentCount = image.rows
        newestCount = image.rows
        isSealed = true
        isStub = image.isStub
    }

    mutating func take(_ summary: BatchSummary) {
        earliestDeadline = summary.earliestDeadline
        maxTimestamp = summary.maxTimestamp
        lastArrival = summary.lastArrival
        lastTombstone = summary.lastTombstone
    }
}

extension Batch {
    /// A sealed batch in memory with the rows of an image.
    convenience init(copying image: BatchImage, pool: SlabPool, account: MemoryAccount) {
        let usage = ColumnPlan.Usage(
            rows: image.rows, keyBytes: image.keyBytes, valueBytes: image.valueBytes,
            extrasBytes: image.extrasBytes, columns: image.columns)
        self.init(
            base: image.base, plan: ColumnPlan(need: usage, habit: ColumnPlan.Usage(), target: 0), pool: pool,
            account: account)
        let source = BatchHeader(image)
        func copy<Element>(
            _ from: UnsafeMutablePointer<Element>?, _ to: UnsafeMutablePointer<Element>?, _ count: Int
        ) {
            if let from, let to { to.update(from: from, count: count) }
        }
        func copy(_ from: UnsafeMutableRawPointer?, _ to: UnsafeMutableRawPointer?, bytes: Int) {
            if let from, let to { to.copyMemory(from: from, byteCount: bytes) }
        }
        copy(source.timestamps, header.pointee.timestamps, image.rows)
        copy(source.valueOffsets, header.pointee.valueOffsets, image.rows + 1)
        copy(source.keyOffsets, header.pointee.keyOffsets, image.rows + 1)
        copy(source.extrasOffsets, header.pointee.extrasOffsets, image.rows + 1)
        copy(source.deadlines, header.pointee.deadlines, image.rows)
        copy(source.arrivals, header.pointee.arrivals, image.rows)
        copy(source.deltas, header.pointee.deltas, image.rows)
        copy(source.types, header.pointee.types, image.rows)
        copy(source.priorities, header.pointee.priorities, image.rows)
        copy(source.keys, header.pointee.keys, bytes: image.keyBytes)
        copy(source.extras, header.pointee.extras, bytes: image.extrasBytes)
        copy(source.values, header.pointee.values, bytes: image.valueBytes)
        header.pointee.rows = image.rows
        header.pointee.endOfRange = image.endOfRange
        header.pointee.presentCount = image.rows
        header.pointee.newestCount = image.rows
        header.pointee.isSealed = true
    }
}
