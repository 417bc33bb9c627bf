extension ArrowField {
    /// A table `Schema` of the children of this one.
    var schemaTable: FlatTable {
        // Every machine that this runs on is little-endian, and so are the producer's buffers.
        var table: FlatTable = [0: .short(0), 1: .tables(children.map(\.table))]
        if !metadata.isEmpty { table.set(2, .tables(metadata.map(\.table))) }
        return table
    }

    /// A table `Field`. Type and children of one with a dictionary are those of the values: only the part
    /// that tells of the dictionary has the type of the indices.
    private var table: FlatTable {
        let described = dictionary?.values ?? self
        let member = described.type.member
        var table: FlatTable = [
            0: .string(Array(name.utf8)), 1: .bool(isNullable), 2: .byte(member.number),
            3: .table(member.table), 5: .tables(described.children.map(\.table)),
        ]
        if let dictionary, case .integer(let bits, let isSigned) = type {
            table.set(
                4,
                .table([
                    0: .long(dictionary.id),
                    1: .table(ArrowType.integerTable(bits: bits, isSigned: isSigned)),
                    2: .bool(dictionary.isOrdered),
                ]))
        }
        if !metadata.isEmpty { table.set(6, .tables(metadata.map(\.table))) }
        return table
    }
}
