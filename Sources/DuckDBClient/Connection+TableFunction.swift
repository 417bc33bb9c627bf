import CDuckDB

private final class Registration {
    let function: TableFunction
    init(_ function: TableFunction) { self.function = function }
}

private final class BoundCall {
    let source: any TableSource
    init(_ source: any TableSource) { self.source = source }
}

private final class RunningScan {
    let scan: any TableScan
    init(_ scan: any TableScan) { self.scan = scan }
}

/// Of one thread; made at its first chunk, for DuckDB does not show the scan before.
private final class ThreadPart {
    var cursor: (any TableCursor)?
}

private func object<Owned: AnyObject>(_ pointer: UnsafeMutableRawPointer?, as type: Owned.Type) -> Owned? {
    pointer.map { Unmanaged<Owned>.fromOpaque($0).takeUnretainedValue() }
}

private func owned(_ object: AnyObject) -> UnsafeMutableRawPointer {
    Unmanaged.passRetained(object).toOpaque()
}

extension Connection {
    package func register(_ function: TableFunction) throws(DuckDBFailure) {
        var handle: duckdb_table_function? = functions.pointee.create_table_function()
        defer { functions.pointee.destroy_table_function(&handle) }
        guard let handle else { return }
        functions.pointee.table_function_set_name(handle, function.name)
        for parameter in function.parameters {
            if let type = ColumnType.scalar(parameter).makeHandle(functions) {
                functions.pointee.table_function_add_parameter(handle, type.handle)
            }
        }
        for (name, parameter) in function.named {
            if let type = ColumnType.scalar(parameter).makeHandle(functions) {
                functions.pointee.table_function_add_named_parameter(handle, name, type.handle)
            }
        }
        functions.pointee.table_function_set_extra_info(
            handle, owned(Registration(function)), releaseOwned)
        functions.pointee.table_function_set_bind(handle) { bindCall($0) }
        functions.pointee.table_function_set_init(handle) { beginScan($0) }
        functions.pointee.table_function_set_local_init(handle) { beginThread($0) }
        functions.pointee.table_function_set_function(handle) { fillChunk($0, $1) }
        functions.pointee.table_function_supports_projection_pushdown(handle, true)
        if functions.pointee.register_table_function(self.handle, handle) != DUCKDB_SUCCESS {
            throw .query(DuckDBError("the table function \(function.name) cannot be registered", in: ""))
        }
    }
}

private func bindCall(_ info: duckdb_bind_info) {
    let functions = loadedFunctions
    guard let registration = object(functions.pointee.bind_get_extra_info(info), as: Registration.self)
    else { return }
    func text(_ value: duckdb_value?) -> String? {
        var value = value
        defer { functions.pointee.destroy_value(&value) }
        guard let handle = value, !functions.pointee.is_null_value(handle),
            let text = functions.pointee.get_varchar(handle)
        else { return nil }
        defer { functions.pointee.free(text) }
        return String(cString: text)
    }
    let function = registration.function
    var named: [String: String] = [:]
    for (name, _) in function.named {
        named[name] = functions.pointee.bind_get_named_parameter(info, name).flatMap { text($0) }
    }
    var context: duckdb_client_context?
    functions.pointee.table_function_get_client_context(info, &context)
    let connection = context.map(functions.pointee.client_context_get_connection_id) ?? 0
    functions.pointee.destroy_client_context(&context)
    do {
        let source = try function.bind(
            TableFunction.Call(
                connection: connection,
                arguments: function.parameters.indices.map {
                    text(functions.pointee.bind_get_parameter(info, idx_t($0)))
                },
                named: named))
        for column in source.columns {
            guard let type = column.type.makeHandle(functions) else {
                functions.pointee.bind_set_error(
                    info, "the column \(column.name) has a type that is not known here")
                return
            }
            functions.pointee.bind_add_result_column(info, column.name, type.handle)
        }
        functions.pointee.bind_set_cardinality(info, idx_t(source.rowsAtMost), false)
        functions.pointee.bind_set_bind_data(info, owned(BoundCall(source)), releaseOwned)
    } catch {
        functions.pointee.bind_set_error(info, "\(error)")
    }
}

private func beginScan(_ info: duckdb_init_info) {
    let functions = loadedFunctions
    guard let bound = object(functions.pointee.init_get_bind_data(info), as: BoundCall.self) else { return }
    let columns = (0..<functions.pointee.init_get_column_count(info)).map {
        Int(truncatingIfNeeded: functions.pointee.init_get_column_index(info, $0))
    }
    do {
        let scan = try bound.source.scan(columns: columns)
        functions.pointee.init_set_max_threads(info, idx_t(max(1, scan.threadsMax)))
        functions.pointee.init_set_init_data(info, owned(RunningScan(scan)), releaseOwned)
    } catch {
        functions.pointee.init_set_error(info, "\(error)")
    }
}

private func beginThread(_ info: duckdb_init_info) {
    loadedFunctions.pointee.init_set_init_data(info, owned(ThreadPart()), releaseOwned)
}

/// The scan is looked at once a thread: threads that count references to it for each chunk hold each other up.
@inline(never)
private func makeCursor(_ info: duckdb_function_info) -> (any TableCursor)? {
    object(loadedFunctions.pointee.function_get_init_data(info), as: RunningScan.self)?.scan.makeCursor()
}

private func fillChunk(_ info: duckdb_function_info, _ chunk: duckdb_data_chunk) {
    let functions = loadedFunctions
    guard let part = object(functions.pointee.function_get_local_init_data(info), as: ThreadPart.self),
        let cursor = part.cursor ?? makeCursor(info)
    else { return }
    part.cursor = cursor
    do {
        let rows = try cursor.fill(OutputChunk(handle: chunk, functions: functions))
        functions.pointee.data_chunk_set_size(chunk, idx_t(rows))
    } catch {
        functions.pointee.function_set_error(info, "\(error)")
    }
}
