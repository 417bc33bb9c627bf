import CArrow

/// Some elements of an array that a producer owns: the one place that reads the structures of the C data
/// interface.
///
/// How much memory lies behind a pointer cannot be known; all else that a producer might get wrong is an
/// error.
struct ArrowSlice {
    /// 2^48 elements are more than memory holds, and few enough that sums and multiples by 16 of them do not
    /// overflow.
    static let elementsMax = 1 << 48

    let field: ArrowField
    /// The first element, counted from the beginning of the buffers: the array's own offset is in it.
    let start: Int
    let count: Int
    private let array: UnsafePointer<ArrowArray>

    /// All elements of an array.
    init(_ array: UnsafePointer<ArrowArray>?, of field: ArrowField) throws(ArrowStreamFailure) {
        try self.init(array, of: field, from: 0, count: nil)
    }

    /// - Parameters:
    ///   - first: counted from the array's own offset.
    ///   - count: nil for all that follow.
    private init(
        _ pointer: UnsafePointer<ArrowArray>?, of field: ArrowField, from first: Int, count: Int?
    ) throws(ArrowStreamFailure) {
        guard let pointer else { throw field.malformed("it is missing") }
        let array = pointer.pointee
        guard array.release != nil else { throw field.malformed("it is released") }
        let elements = 0...Int64(Self.elementsMax)
        guard elements ~= array.length, elements ~= array.offset else {
            throw field.malformed("length \(array.length), offset \(array.offset)")
        }
        let count = count ?? Int(array.length) - first
        guard first >= 0, count >= 0, first <= Self.elementsMax, count <= Int(array.length) - first else {
            throw field.malformed(
                "elements \(first) and the \(count) after it are not all among its \(array.length)")
        }
        guard array.n_children == field.children.count else {
            throw field.malformed("\(array.n_children) children where the schema has \(field.children.count)")
        }
        self.field = field
        self.array = pointer
        self.start = Int(array.offset) + first
        self.count = count
    }

    // MARK: Below

    func child(_ index: Int, from first: Int, count: Int) throws(ArrowStreamFailure) -> ArrowSlice {
        try ArrowSlice(
            array.pointee.children?[index], of: field.children[index], from: first, count: count)
    }

    func wholeChild(_ index: Int) throws(ArrowStreamFailure) -> ArrowSlice {
        try ArrowSlice(array.pointee.children?[index], of: field.children[index])
    }

    /// The values that the indices stand for, if there is a dictionary.
    func dictionary() throws(ArrowStreamFailure) -> (dictionary: ArrowDictionary, values: ArrowSlice)? {
        guard let dictionary = field.dictionary else { return nil }
        return (
            dictionary,
            try ArrowSlice(array.pointee.dictionary.map { UnsafePointer($0) }, of: dictionary.values)
        )
    }

    // MARK: Buffers

    var bufferCount: Int64 { array.pointee.n_buffers }

    /// - Returns: nil for a buffer that the producer left out.
    func buffer(_ index: Int) throws(ArrowStreamFailure) -> UnsafeRawPointer? {
        guard index < bufferCount, let buffers = array.pointee.buffers else {
            throw field.malformed("buffer \(index) is not among its \(bufferCount)")
        }
        return buffers[index]
    }

    /// What holds for the slice in a buffer of as many bytes for every element.
    func bytes(_ index: Int, perElement width: Int) throws(ArrowStreamFailure) -> UnsafeRawBufferPointer {
        try bytes(index, from: try multiple(of: start, width), count: try multiple(of: count, width))
    }

    func bytes(_ index: Int, from first: Int, count: Int) throws(ArrowStreamFailure) -> UnsafeRawBufferPointer
    {
        let buffer = try buffer(index)
        guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard let buffer else { throw field.malformed("buffer \(index) is missing") }
        return UnsafeRawBufferPointer(start: buffer + first, count: count)
    }

    func bits(_ index: Int) throws(ArrowStreamFailure) -> Bitmap? {
        guard let bytes = try buffer(index), count > 0 else { return nil }
        return Bitmap(bytes: bytes, start: start, count: count)
    }

    /// Which elements are null. They are counted, whatever the array says: its number is of more than the
    /// slice, or -1.
    func validity() throws(ArrowStreamFailure) -> (nulls: Int, buffer: BodyBuffer) {
        guard let bits = try bits(0) else {
            guard count == 0 || array.pointee.null_count <= 0 else {
                throw field.malformed("\(array.pointee.null_count) nulls and no validity buffer")
            }
            return (0, .empty)
        }
        let nulls = count - bits.ones
        return (nulls, nulls == 0 ? .empty : .bits(bits))
    }

    /// The offsets of the slice in buffer 1, and what they span.
    func offsets(_ width: ArrowType.OffsetWidth) throws(ArrowStreamFailure) -> (
        buffer: BodyBuffer, span: Range<Int>
    ) {
        // An array of no elements may have no offsets, but a stream has one.
        guard count > 0 else { return (.zeroOffset(width), 0..<0) }
        let bytes = try bytes(1, from: start * width.rawValue, count: (count + 1) * width.rawValue)
        func offset(_ index: Int) -> Int {
            switch width {
            case .narrow: Int(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
            case .wide: Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
            }
        }
        let (first, last) = (offset(0), offset(count))
        guard 0 <= first, first <= last else { throw field.malformed("offsets from \(first) to \(last)") }
        return (.offsets(bytes, width, first: first), first..<last)
    }

    /// How many bytes each of the buffers behind a view's second one has: what the last buffer says.
    func variadicSizes() throws(ArrowStreamFailure) -> [Int] {
        guard 3...Int64(Int32.max) ~= bufferCount else {
            throw field.malformed("\(bufferCount) buffers of views")
        }
        let count = Int(bufferCount) - 3
        let bytes = try bytes(count + 2, from: 0, count: count * 8)
        var sizes: [Int] = []
        for index in 0..<count {
            let size = Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
            guard size >= 0 else { throw field.malformed("a buffer of \(size) bytes") }
            sizes.append(size)
        }
        return sizes
    }

    func multiple(of count: Int, _ factor: Int) throws(ArrowStreamFailure) -> Int {
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow else { throw field.tooLarge("\(count) times \(factor)") }
        return product
    }
}
