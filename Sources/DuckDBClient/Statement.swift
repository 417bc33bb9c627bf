import CDuckDB

/// A prepared statement and the values bound to it.
package final class Statement {
    private let handle: duckdb_prepared_statement
    private let text: String
    private let connection: Connection
    private var functions: Functions { connection.functions }

    init(_ handle: duckdb_prepared_statement, text: String, on connection: Connection) {
        self.handle = handle
        self.text = text
        self.connection = connection
    }

    deinit {
        var handle: duckdb_prepared_statement? = handle
        functions.pointee.destroy_prepare(&handle)
    }

    package enum Kind: Sendable { case select, explain, other }

    package var kind: Kind {
        // Of `duckdb_statement_type`: the numbers are part of the C API.
        switch functions.pointee.prepared_statement_type(handle) {
        case 1: .select
        case 4: .explain
        default: .other
        }
    }

    /// In the order of their indices; a positional parameter's name is its number, from 1.
    package var parameterNames: [String] {
        let count = functions.pointee.nparams(handle)
        guard count > 0 else { return [] }
        return (1...count).map { index in
            guard let name = functions.pointee.parameter_name(handle, index) else { return String(index) }
            defer { functions.pointee.free(UnsafeMutableRawPointer(mutating: name)) }
            return String(cString: name)
        }
    }

    package enum Value: Sendable, Equatable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case double(Double)
        case text(String)
    }

    /// - Parameter index: from 0.
    package func bind(_ value: Value, at index: Int) throws(DuckDBFailure) {
        var bound: duckdb_value? =
            switch value {
            case .null: functions.pointee.create_null_value()
            case .boolean(let value): functions.pointee.create_bool(value)
            case .integer(let value): functions.pointee.create_int64(value)
            case .double(let value): functions.pointee.create_double(value)
            case .text(let text): functions.pointee.create_varchar_length(text, idx_t(text.utf8.count))
            }
        defer { functions.pointee.destroy_value(&bound) }
        guard let bound, functions.pointee.bind_value(handle, idx_t(index) + 1, bound) == DUCKDB_SUCCESS
        else {
            throw .query(
                connection.failure(functions.pointee.prepare_error(handle), in: text))
        }
    }

    /// Begins to run it; rows come as they are fetched, so that memory stays bounded.
    package func run() throws(DuckDBFailure) -> ResultStream {
        var pending: duckdb_pending_result?
        defer { functions.pointee.destroy_pending(&pending) }
        let state = functions.pointee.pending_prepared_streaming(handle, &pending)
        guard let pending else { throw .query(DuckDBError("there is no memory to run with", in: "")) }
        if state != DUCKDB_SUCCESS {
            throw .query(connection.failure(functions.pointee.pending_error(pending), in: text))
        }
        var result = duckdb_result()
        if functions.pointee.execute_pending(pending, &result) != DUCKDB_SUCCESS {
            defer { functions.pointee.destroy_result(&result) }
            throw .query(connection.failure(functions.pointee.result_error(&result), in: text))
        }
        return ResultStream(result, text: text, on: connection)
    }
}
