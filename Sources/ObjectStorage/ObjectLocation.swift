/// Where a store is, as people write it: `/directory`, `file:///directory`, or `s3://bucket/prefix`.
package enum ObjectLocation: Hashable, Sendable, CustomStringConvertible {
    /// Absolute, without an end of `/`; the root is empty.
    case directory(String)
    /// The prefix has no `/` at either end; it may be empty.
    case s3(bucket: String, prefix: String)

    package init(_ text: String) throws(ObjectStoreFailure) {
        if text.utf8.starts(with: "s3://".utf8) {
            let rest = Substring(text.utf8.dropFirst("s3://".utf8.count))
            let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let bucket = String(parts[0])
            try Self.check(bucket: bucket, of: text)
            self = .s3(bucket: bucket, prefix: try Self.path(parts.count > 1 ? parts[1] : "", of: text))
        } else if text.utf8.starts(with: "file://".utf8) {
            let rest = Substring(text.utf8.dropFirst("file://".utf8.count))
            guard rest.utf8.first == UInt8(ascii: "/") else {
                throw Self.failure(
                    text, "a file URL has three slashes, as file:///var/backups: there is no host")
            }
            if rest.utf8.contains(UInt8(ascii: "%")) {
                throw Self.failure(text, "escapes are not read here: write the directory as it is, from / on")
            }
            self = .directory(try Self.absolute(rest, of: text))
        } else if text.utf8.first == UInt8(ascii: "/") {
            self = .directory(try Self.absolute(Substring(text), of: text))
        } else {
            throw Self.failure(
                text,
                "no location: it is an absolute directory, or s3:// with a bucket, as s3://bucket/prefix")
        }
    }

    package var description: String {
        switch self {
        case .directory(let path): path.isEmpty ? "/" : path
        case .s3(let bucket, ""): "s3://\(bucket)"
        case .s3(let bucket, let prefix): "s3://\(bucket)/\(prefix)"
        }
    }

    /// Whether this is the other place or one below it, by whole segments: `/data-1` is not below `/data`.
    /// Symbolic links are not looked at.
    package func isWithin(_ other: ObjectLocation) -> Bool {
        switch (self, other) {
        case (.directory(let path), .directory(let top)): Self.isWithin(path, top)
        case (.s3(let bucket, let prefix), .s3(let otherBucket, let top)):
            bucket == otherBucket && Self.isWithin(prefix, top)
        case (.directory, .s3), (.s3, .directory): false
        }
    }

    private static func isWithin(_ path: String, _ top: String) -> Bool {
        if top.isEmpty { return true }
        return path.utf8.elementsEqual(top.utf8) || path.utf8.starts(with: (top + "/").utf8)
    }

    private static func absolute(_ text: Substring, of location: String) throws(ObjectStoreFailure) -> String
    {
        let path = try path(text, of: location)
        return path.isEmpty ? "" : "/" + path
    }

    /// The segments of a path, with one slash between them and none around.
    private static func path(_ text: Substring, of location: String) throws(ObjectStoreFailure) -> String {
        let segments = text.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }
        for segment in segments {
            if let problem = ObjectKey.problem(withSegment: segment) { throw failure(location, problem) }
        }
        return segments.joined(separator: "/")
    }

    /// S3's rule for the names of buckets; a host's name is made of them.
    private static func check(bucket: String, of location: String) throws(ObjectStoreFailure) {
        let isLowercase = bucket.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
        let isLetterOrDigit: (UInt8?) -> Bool = { $0.map { $0 >= 0x30 } ?? false }
        guard (3...63).contains(bucket.utf8.count), isLowercase, isLetterOrDigit(bucket.utf8.first),
            isLetterOrDigit(bucket.utf8.last), !bucket.contains("..")
        else {
            throw failure(
                location, "'\(bucket)' is no bucket: 3 to 63 lower-case letters, digits, hyphens and dots")
        }
    }

    private static func failure(_ location: String, _ detail: String) -> ObjectStoreFailure {
        ObjectStoreFailure(.invalid, location, nil, detail)
    }
}
