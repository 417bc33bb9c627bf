import Platform

extension DirectoryStore {
    private static let pageEntries = 1000

    package func list(
        prefix: String, _ receive: ([ObjectEntry]) throws -> Void
    ) throws(ObjectStoreFailure) {
        try ObjectKey.checkPrefix(prefix, in: location)
        var page: [ObjectEntry] = []
        // From the deepest directory that holds all of them.
        let start = prefix.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(prefix[..<$0]) } ?? ""
        let isReachable = try reaching(prefix) { () throws(FileFailure) in try isInside(start + "/a") }
        if isReachable {
            try walk(start, prefix, &page, receive)
        }
        try hand(page, receive)
    }

    /// Adds what is below a directory; a page that is full is handed on.
    private func walk(
        _ directory: String, _ prefix: String, _ page: inout [ObjectEntry],
        _ receive: ([ObjectEntry]) throws -> Void
    ) throws(ObjectStoreFailure) {
        for (key, entry) in try entries(of: directory, prefix) {
            if isCancelled() { throw ObjectStoreFailure(.cancelled, location, nil, "it was cancelled") }
            if entry.kind == .directory {
                try walk(key, prefix, &page, receive)
            } else {
                page.append(ObjectEntry(key: key, bytes: entry.bytes, modified: entry.modified))
            }
            if page.count == Self.pageEntries {
                try hand(page, receive)
                page.removeAll(keepingCapacity: true)
            }
        }
    }

    /// What is in a directory and may begin with `prefix`, in the order of the keys below it.
    private func entries(
        of directory: String, _ prefix: String
    ) throws(ObjectStoreFailure) -> [(key: String, entry: FileEntry)] {
        try reaching(directory) { () throws(FileFailure) in
            var found: [(key: String, entry: FileEntry)] = []
            for name in try names(in: directory) where !ObjectKey.isOurs(Substring(name)) {
                let key = directory.isEmpty ? name : "\(directory)/\(name)"
                // Gone since it was listed, or not of UTF-8: no object either way.
                guard let entry = try files.inspect(path(of: key)), entry.kind != .other else { continue }
                let sorted = entry.kind == .directory ? key + "/" : key
                let isBelow = sorted.utf8.starts(with: prefix.utf8)
                guard isBelow || (entry.kind == .directory && prefix.utf8.starts(with: sorted.utf8)) else {
                    continue
                }
                found.append((sorted, entry))
            }
            // A directory's keys go on with a slash, which comes after a hyphen and before a letter.
            found.sort { ObjectKey.precedes($0.key, $1.key) }
            return found.map { ($1.kind == .directory ? String($0.dropLast()) : $0, $1) }
        }
    }

    private func names(in directory: String) throws(FileFailure) -> [String] {
        do {
            return try files.list(directory.isEmpty ? (top.isEmpty ? "/" : top) : path(of: directory))
        } catch {
            // Nothing has been stored there yet.
            if error.isMissing { return [] }
            throw error
        }
    }

    private func hand(
        _ page: [ObjectEntry], _ receive: ([ObjectEntry]) throws -> Void
    ) throws(ObjectStoreFailure) {
        if page.isEmpty { return }
        do {
            try receive(page)
        } catch {
            throw ObjectStoreFailure(.receiver, location, nil, "\(error)", cause: error)
        }
    }
}
