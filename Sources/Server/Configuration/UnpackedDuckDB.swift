import Glibc

/// Where set-up puts the pinned library: `.deps/duckdb` of the checkout that the program was built in.
enum UnpackedDuckDB {
    private static let version = "2.0.0"
    /// `.build/x86_64-unknown-linux-gnu/release/pyralog` lies four levels below the top.
    private static let levelsMax = 5

    /// Empty when the program stands alone.
    static var paths: [String] {
        guard let program = realpath("/proc/self/exe", nil) else { return [] }
        defer { free(program) }
        var parts = String(cString: program).split(separator: "/")
        for _ in 0..<levelsMax where !parts.isEmpty {
            parts.removeLast()
            let path = "/" + (parts + [".deps", "duckdb", "libduckdb-\(version).so"]).joined(separator: "/")
            if access(path, R_OK) == 0 { return [path] }
        }
        return []
    }
}
