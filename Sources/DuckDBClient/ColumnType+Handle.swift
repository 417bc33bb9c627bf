import CDuckDB

extension ColumnType {
    /// Nil for a type that this client does not know.
    func makeHandle(_ functions: Functions) -> LogicalType? {
        handle(functions).map { LogicalType($0, functions) }
    }

    private func handle(_ functions: Functions) -> duckdb_logical_type? {
        switch self {
        case .scalar(let scalar): return functions.pointee.create_logical_type(scalar.rawValue)
        case .json:
            let handle = functions.pointee.create_logical_type(TypeIdentifier.varchar.rawValue)
            if let handle { functions.pointee.logical_type_set_alias(handle, "JSON") }
            return handle
        case .decimal(let width, let scale, _):
            return functions.pointee.create_decimal_type(UInt8(clamping: width), UInt8(clamping: scale))
        case .enumeration(let values, _):
            return withCStrings(values) { functions.pointee.create_enum_type(&$0, idx_t($0.count)) }
        case .list(let element):
            return element.makeHandle(functions).flatMap { functions.pointee.create_list_type($0.handle) }
        case .array(let element, let count):
            return element.makeHandle(functions).flatMap {
                functions.pointee.create_array_type($0.handle, idx_t(count))
            }
        case .map(let key, let value):
            guard let key = key.makeHandle(functions), let value = value.makeHandle(functions) else {
                return nil
            }
            return functions.pointee.create_map_type(key.handle, value.handle)
        case .structure(let members):
            return compound(members, functions) {
                functions.pointee.create_struct_type(&$0, &$1, idx_t($0.count))
            }
        case .union(let members):
            return compound(members, functions) {
                functions.pointee.create_union_type(&$0, &$1, idx_t($0.count))
            }
        case .other: return nil
        }
    }

    private func compound(
        _ members: [Member], _ functions: Functions,
        _ create: (inout [duckdb_logical_type?], inout [UnsafePointer<CChar>?]) -> duckdb_logical_type?
    ) -> duckdb_logical_type? {
        let types = members.compactMap { $0.type.makeHandle(functions) }
        guard types.count == members.count else { return nil }
        var handles: [duckdb_logical_type?] = types.map(\.handle)
        defer { withExtendedLifetime(types) {} }
        return withCStrings(members.map(\.name)) { create(&handles, &$0) }
    }
}

/// Texts as C wants them, one behind the other in one piece of memory.
func withCStrings<Value>(
    _ texts: [String], _ body: (inout [UnsafePointer<CChar>?]) -> Value
) -> Value {
    let bytes = texts.map { Array($0.utf8CString) }
    return bytes.flatMap { $0 }.withUnsafeBufferPointer { joined in
        var next = 0
        var pointers = bytes.map { text -> UnsafePointer<CChar>? in
            defer { next += text.count }
            return joined.baseAddress.map { $0 + next }
        }
        return body(&pointers)
    }
}
