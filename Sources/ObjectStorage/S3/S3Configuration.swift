/// How a server that speaks S3 is reached: from the configuration and the environment, never from a request.
package struct S3Configuration: Sendable {
    /// `https://host[:port]`, without the bucket; nil: AWS.
    package var endpoint: String?
    package var region = "us-east-1"
    /// The bucket in the path instead of in the host's name; nil: in the path for an endpoint of one's own, and in the name
    /// at AWS.
    package var usesPathStyle: Bool?
    package var accessKeyID: String
    package var secretAccessKey: String
    package var sessionToken: String?
    /// Certificates in PEM to trust instead of the system's.
    package var authoritiesFile: String?
    package var retries = RetryPolicy()
    package var connectSeconds = 10
    /// A transfer in which less than a kilobyte a second moves for so long is broken off and tried again.
    package var stallSeconds = 30

    package init(accessKeyID: String, secretAccessKey: String) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
    }

    /// What is configured, and for the rest the variables that AWS's own tools read.
    ///
    /// - Throws: `invalid` when there are no credentials, or something cannot be used.
    package init(
        endpoint: String? = nil, region: String? = nil, usesPathStyle: Bool? = nil,
        authoritiesFile: String? = nil, environment: [String: String]
    ) throws(ObjectStoreFailure) {
        // A variable that is empty is as good as none, as with AWS's own tools.
        func variable(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        guard let accessKeyID = variable("AWS_ACCESS_KEY_ID"),
            let secretAccessKey = variable("AWS_SECRET_ACCESS_KEY")
        else {
            throw ObjectStoreFailure(
                .invalid, "s3", nil,
                "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the server")
        }
        self.init(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey)
        sessionToken = variable("AWS_SESSION_TOKEN")
        self.endpoint = endpoint ?? variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        self.region = region ?? variable("AWS_REGION", "AWS_DEFAULT_REGION") ?? self.region
        self.usesPathStyle = usesPathStyle
        self.authoritiesFile = authoritiesFile ?? variable("AWS_CA_BUNDLE")
        try check()
    }

    /// All of it goes into fields and URLs as it is.
    func check() throws(ObjectStoreFailure) {
        _ = try S3Address(self, bucket: "bucket", prefix: "")
        let names = [("the region", region), ("the access key", accessKeyID)]
        for (name, value) in names {
            let isName = value.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/")
            }
            guard !value.isEmpty, isName else { throw Self.failure("\(name) is none: '\(value)'") }
        }
        for value in [secretAccessKey, sessionToken ?? "a"] {
            guard !value.isEmpty, value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw Self.failure(
                    "a secret has characters in it that none has, perhaps a line break at its end")
            }
        }
    }

    static func failure(_ detail: String) -> ObjectStoreFailure {
        ObjectStoreFailure(.invalid, "s3", nil, detail)
    }

    /// A text of a server's without anything secret that it may repeat.
    func withoutSecrets(_ text: String) -> String {
        var text = text
        for secret in [secretAccessKey, sessionToken].compactMap(\.self) where !secret.isEmpty {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
        }
        return text
    }
}

extension S3Configuration: CustomStringConvertible, CustomDebugStringConvertible {
    /// Without what is secret, wherever it is printed.
    package var description: String {
        "S3 at \(endpoint ?? "AWS"), region \(region), access key \(accessKeyID)"
    }
    package var debugDescription: String { description }
}
