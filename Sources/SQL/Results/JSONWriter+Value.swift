import DuckDBClient
import JSON

extension JSONWriter {
    /// A value of a result: integers and decimals exact at any size, times as text, BLOBs in base64, nested types as arrays
    /// and objects. NaN and infinities, which JSON has no numbers for, are null.
    mutating func value(_ vector: Vector, _ row: Int, _ type: ColumnType) {
        guard vector.isValid(row) else { return null() }
        switch type {
        case .scalar(let scalar): self.scalar(vector, row, scalar)
        case .json: rawOnOneLine(vector.bytes(row))
        case .decimal(_, let scale, let storage):
            number(decimal(vector.signed(row, storage), scale: scale))
        case .enumeration(let values, let storage):
            string(vector.enumerationValue(row, values, storage))
        case .list(let element):
            let elements = vector.elements
            array { for index in vector.listRange(row) { $0.value(elements, index, element) } }
        case .array(let element, let count):
            let elements = vector.arrayElements
            array { for index in row * count..<(row + 1) * count { $0.value(elements, index, element) } }
        case .structure(let members):
            object { json in
                for (index, member) in members.enumerated() {
                    json.key(member.name)
                    json.value(vector.member(index), row, member.type)
                }
            }
        case .map(let key, let element): map(vector, row, key, element)
        case .union(let members):
            // The first member is the tag.
            let tag = Int(vector.member(0).value(row, as: UInt8.self))
            guard members.indices.contains(tag) else { return null() }
            value(vector.member(tag + 1), row, members[tag].type)
        case .other: null()
        }
    }

    /// An object where keys are text, pairs otherwise.
    private mutating func map(_ vector: Vector, _ row: Int, _ key: ColumnType, _ element: ColumnType) {
        let entries = vector.elements
        let keys = entries.member(0)
        let values = entries.member(1)
        guard key == .scalar(.varchar) else {
            return array { json in
                for index in vector.listRange(row) {
                    json.object {
                        $0.key("key")
                        $0.value(keys, index, key)
                        $0.key("value")
                        $0.value(values, index, element)
                    }
                }
            }
        }
        object { json in
            for index in vector.listRange(row) {
                json.key(utf8: keys.bytes(index))
                json.value(values, index, element)
            }
        }
    }

    private mutating func scalar(_ vector: Vector, _ row: Int, _ type: TypeIdentifier) {
        switch type {
        case .boolean: bool(vector.value(row, as: UInt8.self) != 0)
        case .tinyint, .smallint, .integer, .bigint:
            integer(Int64(truncatingIfNeeded: vector.signed(row, type)))
        case .utinyint, .usmallint, .uinteger, .ubigint: integer(vector.unsigned(row, type))
        case .float:
            let value = vector.value(row, as: Float.self)
            if value.isFinite { number(value.description) } else { null() }
        case .double: real(vector.value(row, as: Double.self))
        case .hugeint: number(String(vector.value(row, as: Int128.self)))
        case .uhugeint: number(String(vector.value(row, as: UInt128.self)))
        case .varchar: string(utf8: vector.bytes(row))
        case .blob: base64(vector.bytes(row))
        case .null: null()
        default: string(vector.text(row, type))
        }
    }
}

/// `-1234` of scale 2 is `-12.34`.
func decimal(_ value: Int128, scale: Int) -> String {
    guard scale > 0 else { return String(value) }
    var digits = String(value.magnitude)
    if digits.count <= scale { digits = String(repeating: "0", count: scale - digits.count + 1) + digits }
    return (value < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
}
