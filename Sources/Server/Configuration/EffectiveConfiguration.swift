import Configuration
import Routes

/// Every setting with the value it has and where that came from: flag, environment, file, or default, in this order.
struct EffectiveConfiguration: Sendable {
    typealias Source = ConfigurationEntry.Source

    struct Entry: Sendable {
        let setting: Setting
        var value: SettingValue
        let source: Source
    }

    private var entries: [String: Entry] = [:]

    /// - Parameters:
    ///   - flags: texts by key, as given on the command line.
    ///   - environment: the variables of the process; those that do not begin with `PYRALOG_` are ignored.
    ///   - file: texts and lists by key.
    /// - Throws: the first key that is unknown, belongs to a feature not built yet, or has a value it cannot have.
    init(
        flags: [String: String], environment: [String: String], file: [String: ConfigurationFile.Value]
    ) throws(UsageFailure) {
        let environment = environment.filter { $0.key.hasPrefix("PYRALOG_") && !$0.value.isEmpty }
        for key in flags.keys.sorted() { try Self.check(key, named: Setting.flag(of: key)) }
        try Self.checkNames(of: environment)
        for key in file.keys.sorted() { try Self.check(key, named: "\(key) in the configuration file") }

        let providers: [(Source, any ConfigProvider)] = [
            (.flag, Self.provider(flags.mapValues { .text($0) })),
            (
                .environment,
                EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "pyralog")
            ),
            (.file, Self.provider(file)),
        ]
        for setting in Setting.all { entries[setting.key] = try Self.resolve(setting, providers) }
    }

    subscript(_ setting: Setting) -> SettingValue { entries[setting.key]?.value ?? setting.initial }

    func text(_ setting: Setting) -> String? {
        if case .text(let text) = self[setting] { text } else { nil }
    }

    func integer(_ setting: Setting) -> Int? {
        if case .integer(let number) = self[setting] { Int(exactly: number) } else { nil }
    }

    func fraction(_ setting: Setting) -> Double? {
        if case .fraction(let fraction) = self[setting] { fraction } else { nil }
    }

    func isOn(_ setting: Setting) -> Bool { self[setting] == .boolean(true) }

    func list(_ setting: Setting) -> [String] {
        if case .list(let items) = self[setting] { items } else { [] }
    }

    /// In the order of the table, for `GET /v1/config`.
    var report: [ConfigurationEntry] {
        Setting.all.compactMap { entries[$0.key] }.map {
            ConfigurationEntry($0.setting.key, $0.setting.json($0.value), $0.source)
        }
    }

    /// Fills in what a default turned out to be on this machine.
    mutating func settle(_ setting: Setting, _ value: SettingValue) {
        if entries[setting.key]?.value == SettingValue.none { entries[setting.key]?.value = value }
    }

    // MARK: Names

    /// Variables that belong to the client's commands, and the one that names the file.
    private static let otherVariables: Set<String> = ["PYRALOG_URL", "PYRALOG_TOKEN", "PYRALOG_CONFIG"]

    private static func check(_ key: String, named name: String) throws(UsageFailure) {
        if Setting.byKey[key] != nil { return }
        if Setting.later.contains(key) { throw UsageFailure("\(name): not implemented yet") }
        throw UsageFailure("\(name): there is no such configuration key")
    }

    private static func checkNames(of environment: [String: String]) throws(UsageFailure) {
        let known = Set(Setting.all.map(\.environmentName)).union(otherVariables)
        let later = Set(Setting.later.map { Setting.environmentName(of: $0) })
        for name in environment.keys.sorted() where !known.contains(name) {
            guard later.contains(name) else {
                throw UsageFailure("\(name) in the environment: there is no such configuration key")
            }
            throw UsageFailure("\(name) in the environment: not implemented yet")
        }
    }

    // MARK: Values

    private static func provider(_ values: [String: ConfigurationFile.Value]) -> InMemoryProvider {
        var contents: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in values {
            guard let setting = Setting.byKey[key] else { continue }
            let content: ConfigContent =
                switch (value, setting.kind) {
                case (.text(let text), .list): .stringArray(text.isEmpty ? [] : items(of: text))
                case (.text(let text), _): .string(text)
                case (.list(let list), _): .stringArray(list)
                }
            contents[AbsoluteConfigKey(setting.components)] = ConfigValue(content, isSecret: false)
        }
        return InMemoryProvider(values: contents)
    }

    private static func items(of text: String) -> [String] {
        text.split(separator: ",").map { String($0.trimmingPrefix(while: { $0 == " " })) }
    }

    private static func resolve(
        _ setting: Setting, _ providers: [(Source, any ConfigProvider)]
    ) throws(UsageFailure) -> Entry {
        let key = AbsoluteConfigKey(setting.components)
        var type = ConfigType.string
        if case .list = setting.kind { type = .stringArray }
        var entry: Entry?
        // Each of them is looked at, the one that counts and those that it hides: a mistake should not come to
        // light only when a flag is left out.
        for (source, provider) in providers {
            guard let value = try Self.value(of: setting, key, type, in: provider, source) else { continue }
            entry = entry ?? Entry(setting: setting, value: value, source: source)
        }
        return entry ?? Entry(setting: setting, value: setting.initial, source: .default)
    }

    private static func value(
        of setting: Setting, _ key: AbsoluteConfigKey, _ type: ConfigType, in provider: any ConfigProvider,
        _ source: Source
    ) throws(UsageFailure) -> SettingValue? {
        let found: ConfigValue?
        do { found = try provider.value(forKey: key, type: type).value } catch {
            throw UsageFailure("\(name(of: setting, in: source)) is a list; expected one value")
        }
        switch found?.content {
        case .string(let text):
            do { return try setting.parse(text) } catch {
                throw UsageFailure("\(name(of: setting, in: source)) \(error.description)")
            }
        case .stringArray(let list): return .list(list)
        default: return nil
        }
    }

    /// The name by which the user knows the setting where it was set.
    private static func name(of setting: Setting, in source: Source) -> String {
        switch source {
        case .flag: setting.flag
        case .environment: setting.environmentName
        case .file: "\(setting.key) in the configuration file"
        case .default: setting.key
        }
    }
}
