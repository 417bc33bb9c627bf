import CDuckDB

/// The type of a column, and how its values lie in a vector.
package indirect enum ColumnType: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package let name: String
        package let type: ColumnType
    }

    case scalar(TypeIdentifier)
    /// JSON text: stored as a VARCHAR.
    case json
    case decimal(width: Int, scale: Int, storage: TypeIdentifier)
    case enumeration([String], storage: TypeIdentifier)
    case list(ColumnType)
    case array(ColumnType, count: Int)
    case structure([Member])
    case map(ColumnType, ColumnType)
    case union([Member])
    /// One that this client does not know.
    case other(String)

    init(_ type: LogicalType) {
        switch type.identifier {
        case .decimal: self = type.decimal()
        case .enumeration: self = type.enumeration()
        case .list: self = type.list()
        case .array: self = type.array()
        case .structure: self = type.structure()
        case .map: self = type.map()
        case .union: self = type.union()
        case .varchar where type.alias == "JSON": self = .json
        case let scalar?: self = .scalar(scalar)
        case nil: self = .other(type.alias ?? "UNKNOWN")
        }
    }

    /// As SQL writes it.
    package var name: String {
        func members(_ members: [Member]) -> String {
            members.map { "\($0.name.quotedIdentifier) \($0.type.name)" }.joined(separator: ", ")
        }
        return switch self {
        case .scalar(let scalar): scalar.name
        case .json: "JSON"
        case .decimal(let width, let scale, _): "DECIMAL(\(width),\(scale))"
        case .enumeration(let values, _): "ENUM(\(values.map(\.quotedLiteral).joined(separator: ", ")))"
        case .list(let element): "\(element.name)[]"
        case .array(let element, let count): "\(element.name)[\(count)]"
        case .structure(let fields): "STRUCT(\(members(fields)))"
        case .map(let key, let value): "MAP(\(key.name), \(value.name))"
        case .union(let alternatives): "UNION(\(members(alternatives)))"
        case .other(let name): name
        }
    }

    /// The name of a type in it that this client does not know.
    package var unknownPart: String? {
        switch self {
        case .other(let name): name
        case .list(let element), .array(let element, _): element.unknownPart
        case .map(let key, let value): key.unknownPart ?? value.unknownPart
        case .structure(let members), .union(let members): members.lazy.compactMap(\.type.unknownPart).first
        case .scalar, .json, .decimal, .enumeration: nil
        }
    }

    /// How a value is stored; nil for nested types.
    package var storage: TypeIdentifier? {
        switch self {
        case .scalar(let scalar): scalar
        case .json: .varchar
        case .decimal(_, _, let storage), .enumeration(_, let storage): storage
        case .list, .array, .structure, .map, .union, .other: nil
        }
    }
}

extension String {
    package var quotedLiteral: String { "'\(doubling("'"))'" }

    /// Quoted whether or not it has to be.
    package var quotedIdentifier: String { "\"\(doubling("\""))\"" }

    private func doubling(_ quote: Character) -> String {
        var text = ""
        for character in self {
            text.append(character)
            if character == quote { text.append(character) }
        }
        return text
    }
}
