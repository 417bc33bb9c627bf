import ArgumentParser

/// A key of a log, as `get`, `put` and `delete` name it.
struct KeyArguments: ParsableArguments {
    @Argument(help: "The log.") var log: String
    @Argument(help: "The key, as it is: no percent-encoding.") var key: String

    func validate() throws {
        // What is not UTF-8 has been repaired before it gets here, and would be another key.
        if key.unicodeScalars.contains("\u{FFFD}") {
            throw ValidationError("the key is not UTF-8; such keys can be used over HTTP, percent-encoded")
        }
    }

    var path: [String] { ["v1", "logs", log, "keys", key] }
}
