// Usage: pyralog-bench-sql LIBRARY [ROWS] [JSON-FILE]: queries on live rows beside DuckDB's own table, in one process.
// With a file, DuckDB's read_json reads the same events there.
import Glibc

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
    print("usage: pyralog-bench-sql LIBRARY [ROWS] [JSON-FILE]")
    exit(64)
}
let rows = arguments.count > 2 ? Int(arguments[2]) ?? 10_000_000 : 10_000_000
try SQLBenchmarks.measure(
    rows: rows, library: arguments[1], jsonFile: arguments.count > 3 ? arguments[3] : nil)
