import CArrow

/// Turns the schema of a producer into fields, which need its memory no more.
struct SchemaReader {
    /// What readers of streams take by default.
    static let depthMax = 64

    private var nextDictionary: Int64 = 0

    /// - Parameter schema: of whole batches, which are structures with the columns as their children.
    static func read(_ schema: UnsafePointer<ArrowSchema>) throws(ArrowStreamFailure) -> ArrowField {
        var reader = SchemaReader()
        let root = try reader.field(schema, below: nil, depth: 0)
        guard root.type == .structure else {
            throw .malformedSchema(column: "", format: root.format, reason: "a batch has the format \"+s\"")
        }
        return root
    }

    private mutating func field(
        _ pointer: UnsafePointer<ArrowSchema>, below parent: String?, depth: Int
    ) throws(ArrowStreamFailure) -> ArrowField {
        let schema = pointer.pointee
        let name = schema.name.map { String(cString: $0) } ?? ""
        let path = [parent ?? "", name].filter { !$0.isEmpty }.joined(separator: ".")
        let format = schema.format.map { String(cString: $0) } ?? ""
        func malformed(_ reason: String) -> ArrowStreamFailure {
            .malformedSchema(column: path, format: format, reason: reason)
        }

        guard schema.release != nil else { throw malformed("it is released") }
        guard depth <= Self.depthMax else { throw malformed("more than \(Self.depthMax) levels") }
        let keysSorted = schema.flags & Int64(ARROW_FLAG_MAP_KEYS_SORTED) != 0
        guard let type = ArrowType(format: format, keysSorted: keysSorted) else {
            throw .unknownFormat(column: path, format: format)
        }
        guard let metadata = ArrowMetadata.read(schema.metadata) else { throw malformed("bad metadata") }

        // Dictionaries are numbered in the order of the fields: this one's before those below it.
        let dictionary = try self.dictionary(of: schema, type: type, path: path, format: format, depth: depth)
        let children = try self.children(of: schema, path: path, format: format, depth: depth)
        if let expected = type.childCount, children.count != expected {
            throw malformed("\(children.count) children where there should be \(expected)")
        }
        if case .map = type, children[0].type != .structure || children[0].children.count != 2 {
            throw malformed("the entries of a map are structures of a key and a value")
        }
        return ArrowField(
            path: path, name: name, format: format, type: type,
            isNullable: schema.flags & Int64(ARROW_FLAG_NULLABLE) != 0, metadata: metadata,
            children: children, dictionary: dictionary)
    }

    private mutating func dictionary(
        of schema: ArrowSchema, type: ArrowType, path: String, format: String, depth: Int
    ) throws(ArrowStreamFailure) -> ArrowDictionary? {
        guard let values = schema.dictionary else { return nil }
        guard case .integer = type else {
            throw .malformedSchema(
                column: path, format: format, reason: "the indices into a dictionary are integers")
        }
        let id = nextDictionary
        nextDictionary += 1
        return ArrowDictionary(
            id: id, isOrdered: schema.flags & Int64(ARROW_FLAG_DICTIONARY_ORDERED) != 0,
            values: try field(values, below: path, depth: depth + 1))
    }

    private mutating func children(
        of schema: ArrowSchema, path: String, format: String, depth: Int
    ) throws(ArrowStreamFailure) -> [ArrowField] {
        func malformed(_ reason: String) -> ArrowStreamFailure {
            .malformedSchema(column: path, format: format, reason: reason)
        }
        guard 0...Int64(Int32.max) ~= schema.n_children else {
            throw malformed("\(schema.n_children) children")
        }
        var children: [ArrowField] = []
        for index in 0..<Int(schema.n_children) {
            guard let child = schema.children?[index] else { throw malformed("child \(index) is missing") }
            children.append(try field(child, below: path, depth: depth + 1))
        }
        return children
    }
}
