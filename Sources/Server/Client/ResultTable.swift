import JSON
import Platform

/// The rows of an answer in JSON, laid out for people: aligned columns, numbers to the right.
struct ResultTable {
    struct Column {
        let name: String
        let isNumeric: Bool
    }

    let columns: [Column]
    /// How many rows there are, and how long they took, as the server says it.
    let footer: String
    private let rows: [RawJSON]
    /// `EXPLAIN`, whose one value is a drawing.
    private let isPlan: Bool

    private static let separator = " | "
    private static let numericTypes: Set<Substring> = [
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
        "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
    ]

    /// - Parameter answer: the whole of it, as the server sent it.
    /// - Throws: when it is none of ours.
    init(_ answer: ByteBuffer) throws {
        let members: [(name: String, value: RawJSON)]
        do {
            members = try RawJSON(answer, RecordParser()).members() ?? []
        } catch {
            throw InputFile.Failure(
                description: "the answer does not fit into a table (\(error)): take --format json")
        }
        func member(_ name: String) throws -> RawJSON {
            guard let found = members.first(where: { $0.name == name }) else {
                throw InputFile.Failure(
                    description: "the answer has no \(name): that is no server of this kind")
            }
            return found.value
        }
        columns = try (member("columns").elements() ?? []).map { column in
            let column = try column.value()
            let type = column["type"]?.stringValue ?? ""
            return Column(
                name: CellText.printable(column["name"]?.stringValue ?? ""),
                isNumeric: Self.numericTypes.contains(type.prefix { $0 != "(" }) && !type.hasSuffix("]"))
        }
        rows = try member("rows").elements() ?? []
        let count = rows.count == 1 ? "1 row" : "\(rows.count) rows"
        footer = "\(count), \(String(decoding: try member("elapsed_ms").bytes, as: UTF8.self)) ms"
        isPlan = columns.map(\.name) == ["explain_key", "explain_value"]
    }

    /// - Parameters:
    ///   - columnsMax: how wide lines may be; nil: as wide as they are.
    ///   - dimsNull: tells NULL from the text by the terminal's faint letters.
    ///   - write: gets pieces of some lines; false ends it.
    func write(columnsMax: Int?, dimsNull: Bool, to write: (String) -> Bool) {
        if isPlan { return writePlan(write) }
        let layout = TableLayout(columns, rows, columnsMax: columnsMax, separator: Self.separator)
        var text = layout.line(
            columns.map { Cell(text: $0.name, isNull: false) }, of: columns, dimsNull: false)
        text += layout.rule + "\n"
        for row in rows {
            text += layout.line(Self.cells(row), of: columns, dimsNull: dimsNull)
            if text.utf8.count > 64 * 1024 {
                if !write(text) { return }
                text = ""
            }
        }
        _ = write(text + "(\(footer)\(layout.note))\n")
    }

    private func writePlan(_ write: (String) -> Bool) {
        for row in rows {
            guard case .string(let plan)? = try? row.elements()?.last?.value() else {
                // A plan that is no text is for other formats.
                continue
            }
            let lines = plan.split(separator: "\n")
            if !write(lines.map { CellText.printable(String($0)) }.joined(separator: "\n") + "\n") { return }
        }
        _ = write("(\(footer))\n")
    }

    struct Cell {
        let text: String
        let isNull: Bool
    }

    static func cells(_ row: RawJSON) -> [Cell] {
        (row.elements() ?? []).map { value in
            if value.isNull { return Cell(text: "NULL", isNull: true) }
            // Anything but a text is shown as it came: numbers keep all of their digits.
            let bytes = value.bytes
            guard bytes.first == UInt8(ascii: "\"") else {
                return Cell(text: CellText.printable(String(decoding: bytes, as: UTF8.self)), isNull: false)
            }
            var text = String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
            // A text with an escape that Jansson refuses is shown as it was sent.
            if bytes.contains(UInt8(ascii: "\\")), case .string(let read)? = try? value.value() {
                text = read
            }
            return Cell(text: CellText.printable(text), isNull: false)
        }
    }
}
