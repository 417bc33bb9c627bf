/// DuckDB's library as set-up unpacks it.
package enum DuckDBFile {
    package static let path: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + (parts + [".deps", "duckdb", "libduckdb-2.0.0.so"]).joined(separator: "/")
    }()
}
