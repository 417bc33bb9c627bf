import JSON
import Routes
import Testing

@testable import Server

@Suite("Where a configuration value comes from")
struct ConfigurationTests {
    private func read(
        flags: [String: String] = [:], environment: [String: String] = [:],
        file: [String: ConfigurationFile.Value] = [:]
    ) throws -> EffectiveConfiguration {
        try EffectiveConfiguration(flags: flags, environment: environment, file: file)
    }

    private func entry(_ setting: Setting, in configuration: EffectiveConfiguration) throws
        -> ConfigurationEntry
    {
        try #require(configuration.report.first { $0.key == setting.key })
    }

    @Test("a flag wins over the environment, the environment over the file, the file over the default")
    func precedence() throws {
        let flags = ["port": "1"]
        let environment = ["PYRALOG_PORT": "2", "PYRALOG_LIMITS_BODY": "2MB"]
        let file: [String: ConfigurationFile.Value] = [
            "port": .text("3"), "limits.body": .text("3MB"), "limits.header_timeout": .text("3s"),
        ]
        let configuration = try read(flags: flags, environment: environment, file: file)
        #expect(configuration.integer(.port) == 1)
        #expect(configuration.integer(.body) == 2_000_000)
        #expect(configuration.integer(.headerTimeout) == 3000)
        #expect(configuration.integer(.idleTimeout) == 60_000)
        let sources = try [Setting.port, .body, .headerTimeout, .idleTimeout].map {
            try entry($0, in: configuration).source
        }
        #expect(sources == [.flag, .environment, .file, .default])
    }

    @Test("every key can be set in each of the three ways", arguments: Setting.all.map(\.key))
    func allKeys(key: String) throws {
        let setting = try #require(Setting.byKey[key])
        let text =
            switch setting.kind {
            case .text, .list: "x"
            case .choice(let choices): choices[0]
            case .integer(let range): String(range.lowerBound)
            case .bytes(let range): String(range.lowerBound)
            case .duration(let range): "\(range.lowerBound)ms"
            case .fraction: "0.5"
            case .boolean: "true"
            }
        #expect(try entry(setting, in: read(flags: [key: text])).source == .flag)
        #expect(
            try entry(setting, in: read(environment: [setting.environmentName: text])).source == .environment)
        #expect(try entry(setting, in: read(file: [key: .text(text)])).source == .file)
    }

    @Test("what is reported could be written into the file as it stands", arguments: Setting.all.map(\.key))
    func reportIsInput(key: String) throws {
        let setting = try #require(Setting.byKey[key])
        let text: String
        switch try entry(setting, in: read()).value {
        case .string(let string): text = string
        case .integer(let integer): text = String(integer)
        case .real(let real): text = String(real)
        case .bool(let bool): text = String(bool)
        default: return
        }
        #expect(try setting.parse(text) == setting.initial)
    }

    @Test("a list is a list in the file and separated by commas elsewhere")
    func lists() throws {
        let expected = ["https://a.example", "https://b.example"]
        let text = "https://a.example, https://b.example"
        #expect(try read(flags: ["cors.origins": text]).list(.corsOrigins) == expected)
        #expect(try read(environment: ["PYRALOG_CORS_ORIGINS": text]).list(.corsOrigins) == expected)
        #expect(try read(file: ["cors.origins": .list(expected)]).list(.corsOrigins) == expected)
    }

    @Test(
        "a mistake is named as the user wrote it",
        arguments: [
            (["port": "http"], [:], [:], "--port"),
            (["limits.body": "8"], [:], [:], "--limits-body is 8; expected 1024 to"),
            ([:], ["PYRALOG_MAX_MEMORY": "lots"], [:], "PYRALOG_MAX_MEMORY is \"lots\""),
            ([:], ["PYRALOG_MAX_MEMROY": "1GB"], [:], "PYRALOG_MAX_MEMROY"),
            ([:], ["PYRALOG_TLS_KEY": "x"], [:], "PYRALOG_TLS_KEY in the environment: not implemented yet"),
            ([:], [:], ["prot": "1"], "prot in the configuration file: there is no such"),
            (
                [:], [:], ["tls.key": "1"],
                "tls.key in the configuration file: not implemented yet"
            ),
            (
                [:], [:], ["log.level": "loud"],
                "log.level in the configuration file is \"loud\"; expected one of trace"
            ),
            ([:], [:], ["auto_create": "maybe"], "expected true or false"),
            ([:], [:], ["watermark": "1.1"], "watermark in the configuration file is \"1.1\""),
        ] as [([String: String], [String: String], [String: String], String)])
    func mistakes(
        flags: [String: String], environment: [String: String], file: [String: String], named: String
    ) {
        let failure = #expect(throws: UsageFailure.self) {
            try read(flags: flags, environment: environment, file: file.mapValues { .text($0) })
        }
        #expect(failure?.description.contains(named) == true, "\(failure?.description ?? "no failure")")
    }

    @Test("variables of others, of the client, and empty ones do no harm")
    func otherVariables() throws {
        let configuration = try read(environment: [
            "PATH": "/bin", "PYRALOG_URL": "http://x", "PYRALOG_TOKEN": "secret", "PYRALOG_PORT": "",
        ])
        #expect(configuration.integer(.port) == 7070)
        #expect(!configuration.report.contains { $0.value == .string("secret") })
    }

    @Test("a mistake that a flag hides is a mistake all the same")
    func hiddenMistake() {
        let failure = #expect(throws: UsageFailure.self) {
            try read(flags: ["port": "1"], file: ["port": .text("seven")])
        }
        #expect(failure?.description.contains("port in the configuration file") == true)
    }

    @Test("a list where one value belongs is a mistake")
    func listForValue() {
        let failure = #expect(throws: UsageFailure.self) { try read(file: ["port": .list(["1", "2"])]) }
        #expect(failure?.description.contains("port in the configuration file is a list") == true)
    }

    @Test(
        "an address beyond loopback needs --insecure",
        arguments: ["0.0.0.0", "::", "192.168.1.1", "example.com", ""])
    func openAddresses(host: String) throws {
        let refused = try read(flags: ["host": host])
        if host.isEmpty { return }
        let failure = #expect(throws: UsageFailure.self) { try refused.validate() }
        #expect(failure?.description.contains("--insecure") == true)
        try read(flags: ["host": host, "insecure": "true"]).validate()
    }

    @Test("loopback needs nothing", arguments: ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
    func loopback(host: String) throws { try read(flags: ["host": host]).validate() }

    @Test(
        "what only looks like loopback is not",
        arguments: ["127.0.0.1.example.com", "127.1", "127.0.0.256", "127.0.0.", "localhost.example.com"])
    func notLoopback(host: String) throws {
        let configuration = try read(flags: ["host": host])
        #expect(throws: UsageFailure.self) { try configuration.validate() }
    }

    @Test("modes that need a disk are refused without a data directory", arguments: ["persistent", "hybrid"])
    func noDataDirectory(mode: String) throws {
        let configuration = try read(flags: ["mode": mode])
        let failure = #expect(throws: UsageFailure.self) { try configuration.validate() }
        #expect(failure?.description.contains("--data-dir") == true)
        try read(flags: ["mode": mode, "data_dir": "x"]).validate()
    }
}
