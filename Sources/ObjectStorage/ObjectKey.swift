/// The names of objects, as both stores take them.
enum ObjectKey {
    /// S3's limit, for the prefix of the location and the key together.
    static let bytesMax = 1024
    /// A name of Linux's file systems.
    static let segmentBytesMax = 255
    /// Files that are being written; they are in no list, and no key has such a segment.
    static let temporaryPrefix = ".pyralog-put-"
    /// Objects that try out whether a server checks; they are in no list.
    static let probePrefix = ".pyralog-probe-"

    static func check(_ key: String, in location: String) throws(ObjectStoreFailure) {
        if let problem = problem(with: key) {
            throw ObjectStoreFailure(.invalid, location, key, "no key: \(problem)")
        }
    }

    /// What is wrong with a key; nil: nothing.
    static func problem(with key: String) -> String? {
        if key.isEmpty { return "it is empty" }
        if key.utf8.count > bytesMax { return "it is longer than \(bytesMax) bytes" }
        for segment in key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if let problem = problem(withSegment: Substring(segment)) { return problem }
        }
        return nil
    }

    /// What is wrong with what a list is to begin with: its last segment may be unfinished, also empty.
    static func checkPrefix(_ prefix: String, in location: String) throws(ObjectStoreFailure) {
        let probe = prefix.isEmpty || prefix.utf8.last == UInt8(ascii: "/") ? prefix + "a" : prefix
        if let problem = problem(with: probe) {
            throw ObjectStoreFailure(.invalid, location, prefix, "no beginning of a key: \(problem)")
        }
    }

    static func problem(withSegment segment: Substring) -> String? {
        if segment.isEmpty { return "it has an empty segment" }
        if segment == "." || segment == ".." { return "it has a segment '\(segment)'" }
        if segment.utf8.count > segmentBytesMax { return "a segment is longer than \(segmentBytesMax) bytes" }
        if segment.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "it has a control character" }
        if isOurs(segment) { return "such names are kept for objects that are not finished" }
        return nil
    }

    static func isOurs(_ name: Substring) -> Bool {
        name.utf8.starts(with: temporaryPrefix.utf8) || name.utf8.starts(with: probePrefix.utf8)
    }

    /// Bytes are compared: to Swift's own order two spellings of one character are the same.
    static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
