import CDuckDB

/// Owns a type's handle.
final class LogicalType {
    let handle: duckdb_logical_type
    private let functions: Functions
    private let depth: Int
    private static let depthMax = 64

    init(_ handle: duckdb_logical_type, _ functions: Functions, depth: Int = 0) {
        self.handle = handle
        self.depth = depth
        self.functions = functions
    }

    deinit {
        var handle: duckdb_logical_type? = handle
        functions.pointee.destroy_logical_type(&handle)
    }

    func text(_ memory: UnsafeMutablePointer<CChar>?) -> String? {
        guard let memory else { return nil }
        defer { functions.pointee.free(memory) }
        return String(cString: memory)
    }

    private func child(_ handle: duckdb_logical_type?) -> ColumnType {
        guard let handle else { return .other("UNKNOWN") }
        let type = LogicalType(handle, functions, depth: depth + 1)
        // Values are walked by recursion.
        return depth < Self.depthMax ? ColumnType(type) : .other("nested more than \(Self.depthMax) deep")
    }

    var alias: String? { text(functions.pointee.logical_type_get_alias(handle)) }
    var identifier: TypeIdentifier? { TypeIdentifier(rawValue: functions.pointee.get_type_id(handle)) }

    func decimal() -> ColumnType {
        .decimal(
            width: Int(functions.pointee.decimal_width(handle)),
            scale: Int(functions.pointee.decimal_scale(handle)),
            storage: TypeIdentifier(rawValue: functions.pointee.decimal_internal_type(handle)) ?? .bigint)
    }

    func enumeration() -> ColumnType {
        let values = (0..<functions.pointee.enum_dictionary_size(handle)).map {
            text(functions.pointee.enum_dictionary_value(handle, idx_t($0))) ?? ""
        }
        return .enumeration(
            values,
            storage: TypeIdentifier(rawValue: functions.pointee.enum_internal_type(handle)) ?? .uinteger)
    }

    func list() -> ColumnType { .list(child(functions.pointee.list_type_child_type(handle))) }

    func array() -> ColumnType {
        .array(
            child(functions.pointee.array_type_child_type(handle)),
            count: Int(functions.pointee.array_type_array_size(handle)))
    }

    func map() -> ColumnType {
        .map(
            child(functions.pointee.map_type_key_type(handle)),
            child(functions.pointee.map_type_value_type(handle)))
    }

    func structure() -> ColumnType {
        .structure(
            (0..<functions.pointee.struct_type_child_count(handle)).map { index in
                .init(
                    name: text(functions.pointee.struct_type_child_name(handle, index)) ?? "",
                    type: child(functions.pointee.struct_type_child_type(handle, index)))
            })
    }

    func union() -> ColumnType {
        .union(
            (0..<functions.pointee.union_type_member_count(handle)).map { index in
                .init(
                    name: text(functions.pointee.union_type_member_name(handle, index)) ?? "",
                    type: child(functions.pointee.union_type_member_type(handle, index)))
            })
    }
}
