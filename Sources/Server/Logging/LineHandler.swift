import Logging

/// The connection between a `Logger` and our output.
struct LineHandler: LogHandler {
    let output: LogOutput
    var metadata: Logger.Metadata = [:]
    /// What a caller set for one logger; the output's level, which may change at any time, otherwise.
    private var ownLevel: Logger.Level?

    init(output: LogOutput) { self.output = output }

    var logLevel: Logger.Level {
        get { ownLevel ?? output.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata.merging(event.metadata ?? [:]) { _, own in own }
        if let error = event.error { fields["error"] = "\(error)" }
        output.write(event.level, event.message.description, fields)
    }
}
