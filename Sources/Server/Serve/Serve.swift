import ArgumentParser

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: """
            Without options: memory only, on 127.0.0.1:7070. Every option but --config and --memory-only is a \
            configuration key: --limits-body is PYRALOG_LIMITS_BODY in the environment and limits.body in the file. \
            The option wins over the variable, and the variable over the file. Sizes are written 4096, 512MiB or 4GB, \
            durations 250ms, 10s or 5m.
            """)

    @Option(help: "YAML file of configuration keys; or PYRALOG_CONFIG.")
    var config: String?

    @Flag(help: "Keep everything in memory. This is the default; it refuses --data-dir.")
    var memoryOnly = false

    @OptionGroup var settings: SettingOptions

    /// Options of features that are not there yet are to be named as such, not as unknown.
    @Argument(parsing: .allUnrecognized, help: .hidden)
    var unknown: [String] = []

    func run() throws {
        print(settings.given, unknown, config ?? "-")
    }
}
