import CDuckDB

/// DuckDB's functions, at an address that never changes.
typealias Functions = UnsafePointer<pyra_duckdb_functions>

/// DuckDB's shared library, found and loaded at run time; it stays loaded until the process ends.
package struct DuckDBLibrary: @unchecked Sendable {
    // Sendable: a table of function pointers that never changes; DuckDB's functions may be called from any thread, what
    // they are given is guarded by the types that own it.
    let functions: Functions
    /// Where it was found.
    package let path: String

    /// What the wheel's library needs to be loaded in a process that never starts Python.
    private static let python = "libpython3.11.so.1.0"
    /// As an installed library is called, for the dynamic linker's own search.
    private static let systemName = "libduckdb.so"

    /// - Parameters:
    ///   - configured: the only place to look when it is given.
    ///   - unpacked: where set-up puts the pinned library, tried after the system's.
    /// - Throws: `DuckDBFailure.unavailable` naming each place and what was wrong there.
    package init(configured: String?, unpacked: [String]) throws(DuckDBFailure) {
        var found: [String] = []
        for path in configured.map({ [$0] }) ?? [Self.systemName] + unpacked {
            var error = [CChar](repeating: 0, count: 1024)
            if let functions = pyra_duckdb_load(path, Self.python, &error, error.count) {
                self.functions = functions
                self.path = path
                return
            }
            let message = error.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            found.append("\(path): \(message)")
        }
        throw .unavailable(found)
    }

    /// How much memory the process may hold, files aside, before DuckDB gets no more of it, how much of that
    /// is not DuckDB's, and the largest block that it gets at all. To be called often while queries run:
    /// allocations below a mebibyte are refused by what the last call has found.
    package func bound(processBytes: Int, besideBytes: Int, blockBytes: Int) {
        pyra_duckdb_bound_memory(processBytes, besideBytes, blockBytes)
    }

    /// Gives back what allocators keep, if DuckDB was refused memory since the last call or has not touched
    /// much of what it got. To be called while no query runs.
    package func releaseMemory() { pyra_duckdb_release_memory() }

    /// What the process holds, files aside.
    package var processBytes: Int { pyra_duckdb_held_memory() }

    /// What of that is not DuckDB's. To be asked while no query runs: else DuckDB may not have touched what
    /// it has.
    package var besideBytes: Int { pyra_duckdb_held_beside() }

    package var version: String { String(cString: functions.pointee.library_version()) }
}

/// For callbacks, which DuckDB gives nothing but their own arguments. Only a loaded library can call them.
var loadedFunctions: Functions {
    guard let functions = pyra_duckdb_loaded() else { preconditionFailure("a callback without a library") }
    return functions
}
