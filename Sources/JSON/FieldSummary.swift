import Platform

/// Which top-level members the objects of some rows have, and of which kinds. Made by a `FieldSummarizer`.
package struct FieldSummary: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        /// Decoded.
        package let name: String
        package fileprivate(set) var kinds: FieldKinds

        package init(name: String, kinds: FieldKinds) {
            self.name = name
            self.kinds = kinds
        }

        package static func == (one: Self, other: Self) -> Bool {
            one.kinds == other.kinds && ExactString(one.name) == ExactString(other.name)
        }
    }

    package static let fieldsMax = 1000

    /// In order of first appearance, at most `fieldsMax` of them.
    package internal(set) var fields: [Field] = []
    /// There were more names than that; they are left out.
    package internal(set) var isCut = false
    package internal(set) var rowCount = 0
    /// Rows of other bytes than JSON, tombstones among them.
    package internal(set) var rowsNotJSON = 0
    /// JSON values that are no objects: they have no fields.
    package internal(set) var rowsNotObjects = 0

    package var isAllJSON: Bool { rowsNotJSON == 0 }

    package init() {}

    /// Adds what another summary says: names it has beyond these come last.
    package mutating func join(_ other: FieldSummary) {
        rowCount += other.rowCount
        rowsNotJSON += other.rowsNotJSON
        rowsNotObjects += other.rowsNotObjects
        isCut = isCut || other.isCut
        if fields == other.fields { return }
        var places: [ExactString: Int] = [:]
        for (index, field) in fields.enumerated() { places[ExactString(field.name)] = index }
        for field in other.fields {
            if let place = places[ExactString(field.name)] {
                fields[place].kinds.formUnion(field.kinds)
            } else if fields.count < Self.fieldsMax {
                places[ExactString(field.name)] = fields.count
                fields.append(field)
            } else {
                isCut = true
            }
        }
    }

    /// Shares the other's list of fields where it is the same.
    package mutating func shareFields(of other: FieldSummary) {
        if fields == other.fields { fields = other.fields }
    }

    /// Takes over what was found: the fields so far are the first of `found`, perhaps of more kinds now.
    mutating func update(count: Int, kinds: (Int) -> FieldKinds, name: (Int) -> String) {
        for index in fields.indices { fields[index].kinds = kinds(index) }
        for index in fields.count..<count { fields.append(Field(name: name(index), kinds: kinds(index))) }
    }
}
