import JSON

/// How wide the columns of a table are: as they need, and where that is too wide, the widest give way first.
struct TableLayout {
    /// Of the columns that are shown: those that do not fit at all are left out, from the last.
    let widths: [Int]
    private let columnCount: Int
    private let separator: String

    /// Texts are cut to no less.
    static let textWidthMin = 8

    init(
        _ columns: [ResultTable.Column], _ rows: [RawJSON], columnsMax: Int?, separator: String
    ) {
        var natural = columns.map { CellText.width($0.name) }
        var values = columns.map { _ in 0 }
        for row in rows {
            for (index, cell) in ResultTable.cells(row).enumerated() where index < columns.count {
                values[index] = max(values[index], CellText.width(cell.text))
            }
        }
        for index in columns.indices { natural[index] = max(natural[index], values[index], 1) }
        // A number that is cut is another number.
        let least = columns.indices.map { index in
            columns[index].isNumeric
                ? max(values[index], 1) : min(natural[index], Self.textWidthMin)
        }
        self.init(natural, least: least, columnsMax: columnsMax, separator: separator)
    }

    /// - Parameters:
    ///   - natural: what each column would take.
    ///   - least: what it must have to be shown.
    init(_ natural: [Int], least: [Int], columnsMax: Int?, separator: String) {
        columnCount = natural.count
        self.separator = separator
        guard let columnsMax else {
            widths = natural
            return
        }
        func total(_ widths: some Collection<Int>) -> Int {
            widths.reduce(0, +) + separator.count * max(0, widths.count - 1)
        }
        var shown = natural.count
        while shown > 1, total(least[..<shown]) > columnsMax { shown -= 1 }
        var widths = Array(natural[..<shown])
        var cap = widths.max() ?? 0
        while total(widths) > columnsMax, cap > 1 {
            cap -= 1
            for index in widths.indices { widths[index] = min(widths[index], max(cap, least[index])) }
            if cap <= (least[..<shown].min() ?? 0), total(widths) > columnsMax { break }
        }
        self.widths = widths
    }

    var rule: String {
        let cross = separator.map { $0 == "|" ? "+" : "-" }.joined()
        return widths.map { String(repeating: "-", count: $0) }.joined(separator: cross)
    }

    /// Behind the number of rows, when there is more than is shown.
    var note: String {
        let hidden = columnCount - widths.count
        return hidden == 0
            ? ""
            : "; \(hidden) of \(columnCount) columns do not fit: name those you want, or take --format json"
    }

    /// With its newline, without blanks at its end.
    func line(_ cells: [ResultTable.Cell], of columns: [ResultTable.Column], dimsNull: Bool) -> String {
        var line = ""
        for (index, (cell, width)) in zip(cells, widths).enumerated() {
            if index > 0 { line += separator }
            let text = CellText.cut(cell.text, to: width)
            let blanks = String(repeating: " ", count: max(0, width - CellText.width(text)))
            let shown = dimsNull && cell.isNull ? "\u{1B}[2m\(text)\u{1B}[0m" : text
            if columns[index].isNumeric {
                line += blanks + shown
            } else {
                line += index == widths.count - 1 ? shown : shown + blanks
            }
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
