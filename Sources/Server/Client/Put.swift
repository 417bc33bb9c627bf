import ArgumentParser
import HTTPClient
import JSON
import Platform

struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set the value of a key and print its revision.",
        discussion: "A value that begins with @ names a file; - is standard input.")

    @OptionGroup var key: KeyArguments
    @Argument(help: "The value, @FILE, or - for standard input.") var value = "-"
    @Option(help: "Time to live, as 10s or 7d.") var ttl: Duration?
    @Option(help: "Media type; by default JSON, text or bytes, whichever fits.") var contentType: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            var request = server.request(
                "PUT", key.path, query: [("ttl_ms", ttl.map { String($0.milliseconds) })],
                fields: contentType.map { [("Content-Type", $0)] } ?? [])
            var input: InputFile?
            if value == "-" || value.hasPrefix("@") {
                let file = try InputFile(value == "-" ? value : String(value.dropFirst()))
                request.body = .file(descriptor: file.descriptor, length: file.length)
                input = file
            } else {
                request.body = .bytes(Array(value.utf8))
            }
            let answer = try withExtendedLifetime(input) { try server.fetchJSON(request) }
            if let revision = answer["revision"]?.stringValue { StandardStreams.print(revision) }
        }
    }
}
