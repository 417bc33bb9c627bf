import Glibc

/// What `serve` was told, kept so that it can be read again: the flags stay, variables and file are looked at anew.
struct ConfigurationSource: Sendable {
    let flags: [String: String]
    /// The file that a flag named.
    let path: String?
    let environment: [String: String]

    func read() throws(UsageFailure) -> EffectiveConfiguration {
        let variable = environment["PYRALOG_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        var file: [String: ConfigurationFile.Value] = [:]
        if let path = path ?? variable { file = try ConfigurationFile.read(path) }
        return try EffectiveConfiguration(flags: flags, environment: environment, file: file)
    }

    /// The variables of this process: `PYRALOG_` and what others have given a name, as `AWS_`.
    static func processEnvironment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }
}
