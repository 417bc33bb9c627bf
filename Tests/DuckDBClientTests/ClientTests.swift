import Support
import Synchronization
import Testing

@testable import DuckDBClient

@Suite("DuckDB's C interface")
struct ClientTests {
    private func connect() throws -> Connection {
        try Database(DuckDBLibrary(configured: DuckDBFile.path, unpacked: []), options: [("threads", "2")])
            .connect()
    }

    @Test("a library that is none is named with the reason")
    func noLibrary() {
        #expect(throws: DuckDBFailure.self) { try DuckDBLibrary(configured: "/dev/null", unpacked: []) }
        do {
            _ = try DuckDBLibrary(configured: nil, unpacked: ["/nonexistent.so"])
        } catch {
            #expect(error.message.contains("libduckdb.so") && error.message.contains("/nonexistent.so"))
        }
    }

    @Test("an option that DuckDB does not know is refused")
    func options() throws {
        let library = try DuckDBLibrary(configured: DuckDBFile.path, unpacked: [])
        #expect(throws: DuckDBFailure.self) { try Database(library, options: [("threads", "many")]) }
        #expect(library.version.hasPrefix("v"))
    }

    @Test("rows come chunk by chunk")
    func stream() throws {
        let result = try connect().prepare("SELECT i, i::VARCHAR || ' is long enough' FROM range(5000) t(i)")
            .run()
        #expect(result.columns.map(\.type.name) == ["BIGINT", "VARCHAR"])
        var rows = 0
        while let chunk = try result.next() {
            for row in 0..<chunk.rowCount {
                #expect(chunk.vector(0).value(row, as: Int64.self) == Int64(rows))
                #expect(
                    String(decoding: chunk.vector(1).bytes(row), as: UTF8.self) == "\(rows) is long enough")
                rows += 1
            }
        }
        #expect(rows == 5000)
    }

    @Test(
        "types have the names of SQL",
        arguments: [
            "BIGINT[]", "INTEGER[3]", "STRUCT(\"a\" INTEGER, \"b c\" VARCHAR)", "MAP(VARCHAR, DOUBLE)",
            "DECIMAL(5,2)",
            "ENUM('a', 'it''s')", "UNION(\"n\" INTEGER, \"t\" VARCHAR)", "JSON", "TIMESTAMP WITH TIME ZONE",
            "UHUGEINT",
        ])
    func types(name: String) throws {
        let result = try connect().prepare("SELECT NULL::\(name)").run()
        #expect(result.columns[0].type.name == name)
    }

    @Test("a table function gives its rows to several threads, once each")
    func tableFunction() throws {
        let connection = try connect()
        try connection.register(
            TableFunction("numbers", parameters: [.bigint], named: [("step", .bigint)]) { call in
                guard let text = call.arguments[0], let count = Int(text) else { throw Refusal() }
                return Numbers(count: count, step: call.named["step"].flatMap { Int($0) } ?? 1)
            })
        let result = try connection.prepare("SELECT count(*), sum(n) FROM numbers(100000, step := 2)").run()
        let chunk = try #require(try result.next())
        #expect(chunk.vector(0).value(0, as: Int64.self) == 100_000)
        #expect(chunk.vector(1).value(0, as: Int128.self) == 9_999_900_000)
        do {
            _ = try connection.database.connect().prepare("FROM numbers(NULL)")
            Issue.record("no error")
        } catch { #expect("\(error)".contains("a count is needed")) }
    }

    @Test(
        "the place of an error is found in the text",
        arguments: [("SELECT 1 +\n  nope", 13), ("SELECT nope, 'ä'", 7), ("SELECT 'ä', nope", 13)])
    func position(text: String, place: Int) throws {
        do {
            _ = try connect().prepare(text)
            Issue.record("no error")
        } catch {
            guard case DuckDBFailure.query(let error) = error else { throw error }
            #expect(error.position == place)
            #expect(!error.message.contains("LINE"))
        }
    }
}

private struct Refusal: Error, CustomStringConvertible { let description = "a count is needed" }

private final class Numbers: TableSource, TableScan, @unchecked Sendable {
    // Sendable: a cursor of its own for each thread, which take turns by the lock of `taken`.
    let columns = [TableFunction.Column("n", .scalar(.bigint))]
    let rowsAtMost: Int
    let threadsMax = 2
    private let step: Int
    private let taken = Taken()

    init(count: Int, step: Int) {
        rowsAtMost = count
        self.step = step
    }

    func scan(columns: [Int]) -> any TableScan { self }
    func makeCursor() -> any TableCursor { Cursor(self) }

    private final class Taken: Sendable {
        private let next = Mutex(0)
        func take(upTo limit: Int) -> Range<Int> {
            next.withLock { next in
                let end = min(limit, next + OutputChunk.rowsMax)
                defer { next = end }
                return next..<end
            }
        }
    }

    private final class Cursor: TableCursor {
        private let numbers: Numbers
        init(_ numbers: Numbers) { self.numbers = numbers }

        func fill(_ output: OutputChunk) -> Int {
            let range = numbers.taken.take(upTo: numbers.rowsAtMost)
            let values = output.data(0).assumingMemoryBound(to: Int64.self)
            for (place, number) in range.enumerated() { values[place] = Int64(number * numbers.step) }
            return range.count
        }
    }
}
