import HTTPClient

/// Where a bucket's objects are: the URLs of requests, encoded and ordered as they are signed.
struct S3Address: Sendable {
    /// Scheme and host.
    private let origin: String
    /// Before keys: the bucket, if it is in the path; begins with `/` and does not end so.
    private let bucketPath: String
    /// Before keys; empty, or with a `/` at its end.
    let keyPrefix: String

    init(_ configuration: S3Configuration, bucket: String, prefix: String) throws(ObjectStoreFailure) {
        let endpoint = configuration.endpoint ?? "https://s3.\(configuration.region).amazonaws.com"
        let (scheme, host) = try Self.parse(endpoint)
        // A certificate for *.host does not cover a name with a dot before it.
        let isInPath = configuration.usesPathStyle ?? (configuration.endpoint != nil || bucket.contains("."))
        origin = isInPath ? "\(scheme)://\(host)" : "\(scheme)://\(bucket).\(host)"
        bucketPath = isInPath ? "/\(bucket)" : ""
        keyPrefix = prefix.isEmpty ? "" : prefix + "/"
    }

    private static func parse(_ endpoint: String) throws(ObjectStoreFailure) -> (scheme: String, host: String)
    {
        for scheme in ["https", "http"] where endpoint.utf8.starts(with: "\(scheme)://".utf8) {
            var host = Substring(endpoint.utf8.dropFirst(scheme.utf8.count + 3))
            if host.utf8.last == UInt8(ascii: "/") { host.removeLast() }
            let isHost = host.utf8.allSatisfy {
                (0x30...0x3A).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || "-._[]".utf8.contains($0)
            }
            if !host.isEmpty, isHost { return (scheme, String(host)) }
        }
        // Some have a password in it.
        let shown = endpoint.contains("@") ? "what is configured" : "'\(endpoint.prefix(200))'"
        throw S3Configuration.failure(
            "\(shown) is no endpoint: it is http:// or https://, a host and perhaps a port, nothing else"
        )
    }

    /// - Parameter query: in the order of their names; all have a value, be it empty, as they are signed.
    func url(of key: String, _ query: [(name: String, value: String)] = []) -> String {
        let path = (keyPrefix + key).utf8.split(separator: UInt8(ascii: "/")).map {
            PercentEncoding.encode($0)
        }
        return "\(origin)\(bucketPath)/\(path.joined(separator: "/"))\(Self.text(of: query))"
    }

    /// Of the bucket itself.
    func url(_ query: [(name: String, value: String)]) -> String {
        "\(origin)\(bucketPath)/\(Self.text(of: query))"
    }

    private static func text(of query: [(name: String, value: String)]) -> String {
        if query.isEmpty { return "" }
        let parts = query.map { "\($0.name)=\(PercentEncoding.encode(Array($0.value.utf8)))" }
        return "?" + parts.joined(separator: "&")
    }
}
