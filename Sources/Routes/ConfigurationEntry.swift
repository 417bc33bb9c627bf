import JSON

/// One line of `/v1/config`: a value and where it came from. Secrets are masked before they get here.
package struct ConfigurationEntry: Sendable {
    package enum Source: String, Sendable {
        case flag
        case environment
        case file
        case `default`
    }

    package let key: String
    package let value: JSONValue
    package let source: Source

    package init(_ key: String, _ value: JSONValue, _ source: Source) {
        self.key = key
        self.value = value
        self.source = source
    }
}
