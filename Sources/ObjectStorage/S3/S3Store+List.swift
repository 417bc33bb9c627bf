import Platform

extension S3Store {
    package func list(
        prefix: String, _ receive: ([ObjectEntry]) throws -> Void
    ) throws(ObjectStoreFailure) {
        try ObjectKey.checkPrefix(prefix, in: location)
        var token: String?
        var tokens: Set<String> = []
        var last: String?
        while true {
            let page = try repeating(nil) { () throws(S3Trouble) -> S3Page in
                try requestPage(of: prefix, after: token)
            }
            // What comes twice would be taken for two objects, and it might never end.
            if let last, let first = page.keys?.first, !ObjectKey.precedes(last, first) {
                throw ObjectStoreFailure(.corrupt, location, nil, "the server's list is not in order")
            }
            last = page.keys?.last ?? last
            do {
                if !page.entries.isEmpty { try receive(page.entries) }
            } catch {
                throw ObjectStoreFailure(.receiver, location, nil, "\(error)", cause: error)
            }
            guard let next = page.next else { return }
            // It would never end.
            guard tokens.insert(next).inserted else {
                throw ObjectStoreFailure(
                    .refused, location, nil, "the server gives the same page again and again")
            }
            token = next
        }
    }

    private func requestPage(of prefix: String, after token: String?) throws(S3Trouble) -> S3Page {
        var query = [("list-type", "2"), ("prefix", address.keyPrefix + prefix)]
        if let token { query.insert(("continuation-token", token), at: 0) }
        let body = try answer(to: request("GET", address.url(query)), nil).body
        do {
            return try S3Page(body, keyPrefix: address.keyPrefix)
        } catch {
            // It may have been cut or damaged on its way.
            throw .passing("the list cannot be read: \(error)")
        }
    }
}

/// An answer of ListObjectsV2.
struct S3Page {
    private(set) var entries: [ObjectEntry] = []
    /// As the server has them, also those that are not among the entries. Nil: the page has none.
    private(set) var keys: (first: String, last: String)?
    /// Nil: this is the last page.
    private(set) var next: String?

    /// - Parameter keyPrefix: what all keys begin with, and is no part of them for whoever reads the list.
    init(_ body: [UInt8], keyPrefix: String) throws(XMLReader.Failure) {
        var page = (entries: [ObjectEntry](), isTruncated: "", token: "", isOne: false)
        var object = (key: "", size: "", modified: "")
        var problem: String?
        var keys: (first: String, last: String)?
        try XMLReader.read(body) { path, text in
            guard path.first == "ListBucketResult" else { return }
            page.isOne = true
            switch path.dropFirst().joined(separator: "/") {
            case "IsTruncated": page.isTruncated = text
            case "NextContinuationToken": page.token = text
            case "Contents/Key": object.key = text
            case "Contents/Size": object.size = text
            case "Contents/LastModified": object.modified = text
            default: break
            }
        } end: { path in
            guard path == ["ListBucketResult", "Contents"] else { return }
            defer { object = ("", "", "") }
            guard object.key.utf8.starts(with: keyPrefix.utf8), let bytes = Int(object.size), bytes >= 0
            else {
                problem = "an object without a size, or under another prefix"
                return
            }
            keys = (keys?.first ?? object.key, object.key)
            let key = Substring(object.key.utf8.dropFirst(keyPrefix.utf8.count))
            let name = key.utf8.split(separator: UInt8(ascii: "/")).last.map { Substring($0) } ?? ""
            // A key that ends so is what consoles make for a folder.
            if key.utf8.last == UInt8(ascii: "/") || key.isEmpty || ObjectKey.isOurs(name) { return }
            page.entries.append(
                ObjectEntry(key: String(key), bytes: bytes, modified: S3Time.milliseconds(object.modified)))
        }
        if !page.isOne { problem = "it is no list of S3's" }
        if page.isTruncated == "true", page.token.isEmpty {
            problem = "it has more pages and does not say how to get them"
        }
        if let problem { throw XMLReader.Failure(description: problem) }
        entries = page.entries
        self.keys = keys
        next = page.isTruncated == "true" ? page.token : nil
    }
}

/// `2026-11-28T17:23:28.115Z`.
enum S3Time {
    /// Unix milliseconds; nil: it is no time.
    static func milliseconds(_ text: String) -> Int64? {
        let parts = text.split { !$0.isASCII || !$0.isNumber }
        let numbers = parts.compactMap { Int($0) }
        guard text.utf8.last == UInt8(ascii: "Z"), parts.count == numbers.count,
            (6...7).contains(numbers.count),
            (1970...9999).contains(numbers[0]), (1...12).contains(numbers[1]), (1...31).contains(numbers[2]),
            numbers[3] < 24, numbers[4] < 60, numbers[5] <= 60
        else { return nil }
        let days = CivilDate.days(year: numbers[0], month: numbers[1], day: numbers[2])
        let seconds = days * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
        let fraction = parts.count == 7 ? Int((parts[6] + "000").prefix(3)) ?? 0 : 0
        return Int64(seconds * 1000 + fraction)
    }
}
