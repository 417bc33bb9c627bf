/// What a record batch consists of, in the order of the schema from each column down to its children: what
/// goes into its message, and which memory goes into its body
/// (https://arrow.apache.org/docs/format/Columnar.html#recordbatch-message).
struct BatchPlan {
    private let rows: Int
    /// Structures `FieldNode`: elements and nulls.
    private var nodes: [Int64] = []
    private(set) var buffers: [BodyBuffer] = []
    /// How many buffers each column of views has beyond its own two.
    private var variadicCounts: [Int64] = []
    /// What has to be known to a reader before the batch.
    private(set) var dictionaries: [(dictionary: ArrowDictionary, values: ArrowSlice)] = []

    /// A batch of rows: the columns are the children of the slice.
    static func columns(of batch: ArrowSlice) throws(ArrowStreamFailure) -> BatchPlan {
        guard try batch.validity().nulls == 0 else { throw batch.field.malformed("a row of a batch is null") }
        var plan = BatchPlan(rows: batch.count)
        try plan.appendChildren(of: batch, from: batch.start, count: batch.count)
        return plan
    }

    /// A batch with one column: what a message with a dictionary has.
    static func column(_ values: ArrowSlice) throws(ArrowStreamFailure) -> BatchPlan {
        var plan = BatchPlan(rows: values.count)
        try plan.append(values)
        return plan
    }

    private init(rows: Int) { self.rows = rows }

    /// A table `RecordBatch`.
    ///
    /// - Parameter offsets: of the buffers in the body.
    func table(offsets: [Int]) -> FlatTable {
        var locations: [Int64] = []
        locations.reserveCapacity(buffers.count * 2)
        for (buffer, offset) in zip(buffers, offsets) {
            locations.append(Int64(offset))
            locations.append(Int64(buffer.byteCount))
        }
        var table: FlatTable = [
            0: .long(Int64(rows)), 1: .longs(nodes, perElement: 2), 2: .longs(locations, perElement: 2),
        ]
        if !variadicCounts.isEmpty { table.set(4, .longs(variadicCounts, perElement: 1)) }
        return table
    }

    // MARK: Layouts

    private mutating func append(_ slice: ArrowSlice) throws(ArrowStreamFailure) {
        switch slice.field.layout {
        case .null: appendNode(slice, nulls: slice.count)
        case .bits: try appendBits(slice)
        case .fixed(let bytes):
            try appendValidity(slice)
            buffers.append(.bytes(try slice.bytes(1, perElement: bytes)))
        case .variable(let width): try appendVariable(slice, width)
        case .view: try appendViews(slice)
        case .list(let width):
            try appendValidity(slice)
            let (offsets, span) = try slice.offsets(width)
            buffers.append(offsets)
            try append(try slice.child(0, from: span.lowerBound, count: span.count))
        case .listView(let width):
            // Their elements lie in any order: the child stays whole, and with it the offsets as they are.
            try appendValidity(slice)
            buffers.append(.bytes(try slice.bytes(1, perElement: width.rawValue)))
            buffers.append(.bytes(try slice.bytes(2, perElement: width.rawValue)))
            try append(try slice.wholeChild(0))
        case .fixedList(let elements):
            try appendValidity(slice)
            let first = try slice.multiple(of: slice.start, elements)
            try append(try slice.child(0, from: first, count: try slice.multiple(of: slice.count, elements)))
        case .structure:
            try appendValidity(slice)
            try appendChildren(of: slice, from: slice.start, count: slice.count)
        case .denseUnion, .sparseUnion: try appendUnion(slice)
        }
        if let dictionary = try slice.dictionary() { dictionaries.append(dictionary) }
    }

    private mutating func appendBits(_ slice: ArrowSlice) throws(ArrowStreamFailure) {
        try appendValidity(slice)
        guard slice.count > 0 else { return buffers.append(.empty) }
        guard let bits = try slice.bits(1) else { throw slice.field.malformed("buffer 1 is missing") }
        buffers.append(.bits(bits))
    }

    private mutating func appendVariable(
        _ slice: ArrowSlice, _ width: ArrowType.OffsetWidth
    ) throws(ArrowStreamFailure) {
        try appendValidity(slice)
        let (offsets, span) = try slice.offsets(width)
        buffers.append(offsets)
        buffers.append(.bytes(try slice.bytes(2, from: span.lowerBound, count: span.count)))
    }

    private mutating func appendViews(_ slice: ArrowSlice) throws(ArrowStreamFailure) {
        try appendValidity(slice)
        buffers.append(.bytes(try slice.bytes(1, perElement: 16)))
        let sizes = try slice.variadicSizes()
        for (index, size) in sizes.enumerated() {
            buffers.append(.bytes(try slice.bytes(2 + index, from: 0, count: size)))
        }
        variadicCounts.append(Int64(sizes.count))
    }

    /// A union has no validity buffer: its children know what is null.
    private mutating func appendUnion(_ slice: ArrowSlice) throws(ArrowStreamFailure) {
        appendNode(slice, nulls: 0)
        buffers.append(.bytes(try slice.bytes(0, perElement: 1)))
        guard slice.field.layout == .denseUnion else {
            return try appendChildren(of: slice, from: slice.start, count: slice.count)
        }
        // The offsets of a slice stay as they are: the children are sent whole.
        buffers.append(.bytes(try slice.bytes(1, perElement: 4)))
        for index in slice.field.children.indices { try append(try slice.wholeChild(index)) }
    }

    // MARK: Parts of layouts

    private mutating func appendChildren(
        of slice: ArrowSlice, from first: Int, count: Int
    ) throws(ArrowStreamFailure) {
        for index in slice.field.children.indices {
            try append(try slice.child(index, from: first, count: count))
        }
    }

    private mutating func appendValidity(_ slice: ArrowSlice) throws(ArrowStreamFailure) {
        let (nulls, buffer) = try slice.validity()
        appendNode(slice, nulls: nulls)
        buffers.append(buffer)
    }

    private mutating func appendNode(_ slice: ArrowSlice, nulls: Int) {
        nodes.append(Int64(slice.count))
        nodes.append(Int64(nulls))
    }
}
