import ArgumentParser
import Glibc
import HTTPClient
import JSON
import Platform

/// `pyralog sql`. Its bare name is that of a module.
struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Run a query over the logs and print its rows.",
        discussion: """
            Rows come as a table on a terminal and as CSV into a pipe or a file. Ctrl-C cancels the query on the server.
            """)

    @Argument(help: "The query, or - for standard input.") var text: String?
    @Option(name: .shortAndLong, help: "A file that holds the query.") var file: String?
    @Option(
        name: .customLong("param"),
        help: ArgumentHelp(
            "The value of the next ? or $1, $2, …: a number, true, false, null or a text.",
            valueName: "value"))
    var values: [String] = []
    @Option(
        name: .customLong("named"),
        help: ArgumentHelp("The value of $name, in place of --param.", valueName: "name=value"))
    var named: [NamedParameter] = []
    @Option(help: "table, json, ndjson, csv, parquet or arrow.") var format: SQLFormat?
    @Option(name: .shortAndLong, help: "A file for the rows; its ending says the format.")
    var output: String?
    @Option(help: "For the query, as 500ms or 30s; at most the server's sql.timeout.") var timeout: Duration?
    @OptionGroup var options: ClientOptions

    /// A table needs all of its rows to know how wide its columns are.
    private static let tableBytesMax = 256 << 20

    func validate() throws {
        if text != nil, file != nil { throw ValidationError("give the query, or --file, not both") }
        if text == nil, file == nil { throw ValidationError("the query is missing; - reads standard input") }
        if !values.isEmpty, !named.isEmpty {
            throw ValidationError(
                "--param and --named cannot be mixed: a query numbers its parameters or names them")
        }
        if let ttl = timeout, ttl.milliseconds < 1 { throw ValidationError("--timeout must be at least 1ms") }
        if output == nil, isTerminal, chosenFormat.isBinary {
            throw ValidationError(
                "\(chosenFormat.rawValue) is not for terminals; add --output FILE or a pipe")
        }
    }

    func run() throws {
        try options.run { server in
            let query = try queryText()
            do {
                let output = try OutputFile(output)
                if chosenFormat == .table {
                    try printTable(server, query, to: output)
                } else {
                    try copy(server, query, to: output)
                }
                try output.finish()
            } catch let problem as ServerProblem {
                throw SQLProblem(
                    problem, in: query, columns: isatty(STDERR_FILENO) == 1 ? Terminal.columns : nil)
            }
        }
    }

    private var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    private var chosenFormat: SQLFormat {
        format ?? output.flatMap(SQLFormat.init(ending:)) ?? (output == nil && isTerminal ? .table : .csv)
    }

    private func queryText() throws -> String {
        if let text, text != "-" { return text }
        return try InputFile(file ?? "-").readText()
    }

    private func request(_ server: ServerConnection, _ query: String) -> ClientRequest {
        var members: [JSONValue.Member] = [.init("sql", .string(query))]
        if !values.isEmpty { members.append(.init("params", .array(values.map(NamedParameter.value)))) }
        if !named.isEmpty {
            members.append(.init("params", .object(named.map { .init($0.name, $0.value) })))
        }
        if let timeout { members.append(.init("timeout_ms", .integer(timeout.milliseconds))) }
        var request = server.request(
            "POST", ["v1", "sql"],
            fields: [("Content-Type", "application/json"), ("Accept", chosenFormat.accept)])
        request.body = .bytes(ControlJSON.serialize(.object(members)))
        // The server ends what takes too long, at a time that is its own affair.
        request.limits.silenceSeconds = nil
        return request
    }

    private func copy(_ server: ServerConnection, _ query: String, to output: OutputFile) throws {
        var rows = ResultCopy(to: output)
        let response: ClientResponse
        do {
            response = try server.http.send(request(server, query)) { rows.take($0.status, $1) }
        } catch {
            try rows.fail(error)
            return
        }
        try rows.end(response.status)
    }

    private func printTable(_ server: ServerConnection, _ query: String, to output: OutputFile) throws {
        var answer = CollectedAnswer(bytesMax: Self.tableBytesMax)
        let response: ClientResponse
        do {
            response = try server.http.send(request(server, query)) { answer.take($1) }
        } catch {
            throw ResultFrame(in: answer.bytes.bytes.suffix(ResultFrame.bytesMax))?.problem ?? error
        }
        guard response.status == 200 else {
            throw ServerProblem(status: response.status, body: answer.bytes.array)
        }
        if answer.isTooLarge {
            throw InputFile.Failure(
                description:
                    "the answer is larger than \(Self.tableBytesMax >> 20) MiB, too much for a table: "
                    + "take --format csv or another, or add a LIMIT")
        }
        let isOnTerminal = self.output == nil && isTerminal
        let table = try ResultTable(answer.bytes)
        table.write(columnsMax: isOnTerminal ? Terminal.columns : nil, dimsNull: isOnTerminal) {
            output.write($0)
        }
    }
}
