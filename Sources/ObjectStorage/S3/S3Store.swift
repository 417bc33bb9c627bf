import HTTPClient
import Platform

/// Objects in a bucket of a server that speaks S3.
package struct S3Store: ObjectStore {
    package let location: String
    let configuration: S3Configuration
    let address: S3Address
    let transport: any HTTPTransport
    let clock: RetryClock
    let isCancelled: @Sendable () -> Bool
    let checksums: ChecksumTrust

    package init(
        bucket: String, prefix: String, _ configuration: S3Configuration,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(ObjectStoreFailure) {
        try self.init(
            bucket: bucket, prefix: prefix, configuration, ConnectionPool(), .system, isCancelled: isCancelled
        )
    }

    init(
        bucket: String, prefix: String, _ configuration: S3Configuration, _ transport: any HTTPTransport,
        _ clock: RetryClock, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(ObjectStoreFailure) {
        try configuration.check()
        location = ObjectLocation.s3(bucket: bucket, prefix: prefix).description
        self.configuration = configuration
        address = try S3Address(configuration, bucket: bucket, prefix: prefix)
        self.transport = transport
        self.clock = clock
        self.isCancelled = isCancelled
        checksums = ChecksumTrust()
    }

    private init(_ other: S3Store, _ isCancelled: @escaping @Sendable () -> Bool) {
        location = other.location
        configuration = other.configuration
        address = other.address
        transport = other.transport
        clock = other.clock
        checksums = other.checksums
        self.isCancelled = isCancelled
    }

    package func cancelled(when isCancelled: @escaping @Sendable () -> Bool) -> any ObjectStore {
        let before = self.isCancelled
        return S3Store(self) { before() || isCancelled() }
    }

    package func size(of key: String) throws(ObjectStoreFailure) -> Int? {
        try check(key)
        return try head(key)?.bytes
    }

    package func delete(_ key: String) throws(ObjectStoreFailure) {
        try check(key)
        do {
            _ = try repeating(key) { () throws(S3Trouble) in
                try answer(to: request("DELETE", address.url(of: key)), key)
            }
        } catch {
            // AWS says 204 even then; others say so.
            guard error.kind == .notFound else { throw error }
        }
    }

    /// - Returns: nil: there is no such object.
    func head(_ key: String) throws(ObjectStoreFailure) -> (bytes: Int, checksum: String?)? {
        let response: ClientResponse
        do {
            response = try repeating(key) { () throws(S3Trouble) in
                var request = request("HEAD", address.url(of: key))
                request.fields.append(("x-amz-checksum-mode", "ENABLED"))
                return try answer(to: request, key).response
            }
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
        guard let bytes = response.field("Content-Length").flatMap({ Int($0) }), bytes >= 0 else {
            throw ObjectStoreFailure(.refused, location, key, "the server does not say how long it is")
        }
        return (bytes, response.field("x-amz-checksum-sha256"))
    }

    func check(_ key: String) throws(ObjectStoreFailure) {
        try ObjectKey.check(key, in: location)
        guard address.keyPrefix.utf8.count + key.utf8.count <= ObjectKey.bytesMax else {
            throw ObjectStoreFailure(
                .invalid, location, key, "with the prefix it is longer than S3's \(ObjectKey.bytesMax) bytes")
        }
    }
}
