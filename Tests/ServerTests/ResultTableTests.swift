import Platform
import Testing

@testable import Server

@Suite("Rows laid out as a table")
struct ResultTableTests {
    private func table(
        _ columns: String, _ rows: String, columnsMax: Int? = nil, dimsNull: Bool = false
    ) throws -> String {
        let answer = "{\"columns\":[\(columns)],\"rows\":[\(rows)],\"row_count\":0,\"elapsed_ms\":1.5}\n"
        var text = ""
        try ResultTable(ByteBuffer(answer.utf8)).write(columnsMax: columnsMax, dimsNull: dimsNull) {
            text += $0
            return true
        }
        return text
    }

    private func column(_ name: String, _ type: String) -> String {
        "{\"name\":\"\(name)\",\"type\":\"\(type)\"}"
    }

    @Test("columns are aligned, numbers to the right, with the rows and the time below")
    func alignment() throws {
        let shown = try table(
            "\(column("name", "VARCHAR")),\(column("n", "BIGINT"))", "[\"libs\",6711],[\"x\",1]")
        #expect(
            shown == """
                name |    n
                -----+-----
                libs | 6711
                x    |    1
                (2 rows, 1.5 ms)

                """)
    }

    @Test("numbers keep every digit, whatever their size")
    func digits() throws {
        let shown = try table(
            "\(column("h", "HUGEINT")),\(column("d", "DECIMAL(18,4)"))",
            "[170141183460469231731687303715884105727,1.5000]", columnsMax: 20)
        #expect(shown.contains("170141183460469231731687303715884105727"))
        #expect(try table(column("d", "DECIMAL(18,4)"), "[1.5000]").contains("1.5000\n"))
    }

    @Test("NULL can be seen, and told from the text on a terminal")
    func null() throws {
        let name = column("s", "VARCHAR")
        #expect(try table(name, "[null],[\"\"]").contains("NULL\n\n"))
        let shown = try table(name, "[null],[\"NULL\"]", dimsNull: true)
        #expect(shown.contains("\u{1B}[2mNULL\u{1B}[0m\nNULL\n"))
    }

    @Test(
        "what is too wide is cut, texts before numbers, and no line is wider than the terminal",
        arguments: 30...120)
    func width(columns: Int) throws {
        let names = (0..<6).map { column("text\($0)", "VARCHAR") } + [column("n", "BIGINT")]
        let texts = (0..<6).map { "\"\(String(repeating: "語x", count: $0 * 7))\"" }
        let shown = try table(
            ([names[6]] + names[..<6]).joined(separator: ","),
            "[1234567890,\(texts.joined(separator: ","))]", columnsMax: columns)
        let lines = shown.split(separator: "\n")
        #expect(shown.contains("1234567890"))
        for line in lines.dropLast() { #expect(CellText.width(String(line)) <= columns, "\(line)") }
        #expect(lines[2].contains("…") || columns > 100)
    }

    @Test("columns that do not fit at all are left out and counted")
    func hidden() throws {
        let names = (0..<30).map { column("column\($0)", "VARCHAR") }
        let row = "[\((0..<30).map { "\"value \($0)\"" }.joined(separator: ","))]"
        let shown = try table(names.joined(separator: ","), row, columnsMax: 60)
        #expect(shown.contains("column0 "))
        #expect(!shown.contains("column29"))
        #expect(shown.contains("24 of 30 columns do not fit"), "\(shown)")
    }

    @Test("a value cannot drive the terminal")
    func control() throws {
        let shown = try table(column("s", "VARCHAR"), "[\"a\\u001b[2Jb\\nc\\u202ed\"]")
        #expect(shown.contains("a\\u{1b}[2Jb\\nc\\u{202e}d\n"), "\(shown)")
    }

    @Test("nested values are shown as JSON, booleans as words")
    func nested() throws {
        let shown = try table(
            "\(column("l", "INTEGER[]")),\(column("j", "JSON")),\(column("b", "BOOLEAN"))",
            "[[1,2],{\"a\": \"x\"},true]")
        #expect(shown.contains("[1,2] | {\"a\": \"x\"} | true\n"), "\(shown)")
    }

    @Test("a plan is drawn as it is")
    func plan() throws {
        let shown = try table(
            "\(column("explain_key", "VARCHAR")),\(column("explain_value", "VARCHAR"))",
            "[\"physical_plan\",\"╭──╮\\n╰──╯\\n\"]")
        #expect(shown == "╭──╮\n╰──╯\n(1 row, 1.5 ms)\n")
    }

    @Test("no rows have a head all the same")
    func empty() throws {
        #expect(try table(column("a", "BIGINT"), "") == "a\n-\n(0 rows, 1.5 ms)\n")
    }

    @Test("what is no answer of ours is an error")
    func otherServer() {
        for body in ["", "[]", "{}", "{\"columns\":[]}", "<html>"] {
            #expect(throws: InputFile.Failure.self) { try ResultTable(ByteBuffer(body.utf8)) }
        }
    }
}
