extension MetricsRegistry {
    package enum Kind: Sendable { case counter, gauge }

    package enum Format: Sendable {
        /// `text/plain; version=0.0.4`
        case prometheusText
        /// `application/openmetrics-text; version=1.0.0`
        case openMetrics

        /// The media type that announces this format.
        package var contentType: String {
            switch self {
            case .prometheusText: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    package struct Label: Sendable, Hashable {
        package let name: String
        package let value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct Sample: Sendable {
        package let labels: [Label]
        package let value: Double
        package init(_ labels: [Label] = [], _ value: Double) {
            self.labels = labels
            self.value = value
        }
    }
}
