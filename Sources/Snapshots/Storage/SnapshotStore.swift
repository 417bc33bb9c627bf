import ObjectStorage
import Platform
import StorageEngine

/// The snapshots at one location.
///
///     snapshots/NAME.manifest          the snapshot is there, and complete, when this is
///     packs/NAME/000001.pack           batches, written by the snapshot of that name and used by later ones too
struct SnapshotStore: Sendable {
    let objects: any ObjectStore
    private static let manifests = "snapshots/"
    private static let packs = "packs/"
    private static let suffix = ".manifest"
    private static let manifestBytesMax = 256 << 20

    var location: String { objects.location }

    static func key(of name: SnapshotName) -> String { manifests + name.text + suffix }
    static func packKey(_ number: Int, of name: SnapshotName) -> String {
        let digits = String(number)
        return packs + name.text + "/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            + ".pack"
    }

    private static func isPackKey(_ key: String) -> Bool {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 && key.hasPrefix(packs) && SnapshotName(String(parts[1])) != nil
            && parts[2].hasSuffix(".pack") && parts[2].dropLast(5).allSatisfy(\.isNumber)
    }

    /// Of those that are complete, oldest first.
    func names() throws(SnapshotFailure) -> [SnapshotName] {
        var names: [SnapshotName] = []
        try list(Self.manifests) { entry in
            guard entry.key.hasSuffix(Self.suffix) else { return }
            let text = entry.key.dropFirst(Self.manifests.count).dropLast(Self.suffix.count)
            if let name = SnapshotName(String(text)) { names.append(name) }
        }
        return names.sorted()
    }

    /// The last of those that have all logs; where there are none, of those that have some.
    func newest() throws(SnapshotFailure) -> SnapshotName? {
        let names = try names()
        return names.last(where: \.hasAllLogs) ?? names.last
    }

    /// - Throws: `snapshotNotFound`, `damaged`.
    func manifest(of name: SnapshotName) throws(SnapshotFailure) -> (
        manifest: SnapshotManifest, digest: String
    ) {
        let key = Self.key(of: name)
        let bytes: [UInt8]
        do throws(ObjectStoreFailure) {
            bytes = try objects.bytes(of: key, bytesMax: Self.manifestBytesMax)
        } catch {
            if error.kind == .notFound { throw .snapshotNotFound(name: name.text, location: location) }
            throw .store(error)
        }
        let content = ByteBuffer(bytes)
        defer { withExtendedLifetime(content) {} }
        do throws(SnapshotDamage) {
            let manifest = try SnapshotManifest(decoding: content.bytes)
            // They are read, and deleted one day: nothing else at the place may be called so.
            guard manifest.packs.allSatisfy({ Self.isPackKey($0.key) }) else {
                throw SnapshotDamage("names objects that are no packs")
            }
            return (manifest, SHA256.text(of: bytes))
        } catch {
            throw .damaged(object: "\(location)/\(key)", reason: error.description)
        }
    }

    /// Makes the snapshot. - Returns: the manifest's digest.
    func publish(_ manifest: SnapshotManifest, as name: SnapshotName) throws(SnapshotFailure) -> String {
        let bytes = manifest.encode().array
        try put(Self.key(of: name), ObjectSource(bytes: bytes))
        return SHA256.text(of: bytes)
    }

    func put(_ key: String, _ source: ObjectSource) throws(SnapshotFailure) {
        do throws(ObjectStoreFailure) { try objects.put(key, source) } catch { throw .store(error) }
    }

    /// The length of every pack that is there.
    func packs() throws(SnapshotFailure) -> [String: Int] {
        var lengths: [String: Int] = [:]
        try list(Self.packs) { lengths[$0.key] = $0.bytes }
        return lengths
    }

    private func list(_ prefix: String, _ body: (ObjectEntry) -> Void) throws(SnapshotFailure) {
        do throws(ObjectStoreFailure) {
            try objects.list(prefix: prefix) { page in for entry in page { body(entry) } }
        } catch {
            throw .store(error)
        }
    }

    // MARK: Removing

    /// The snapshot is gone first; then what no other one uses. Where one of them is damaged nobody knows, and all stays.
    /// - Parameter gone: is called once the snapshot is not there any more, whatever comes then.
    func delete(_ name: SnapshotName, gone: () -> Void = {}) throws(SnapshotFailure) {
        let own = try packs(of: name)
        try delete(Self.key(of: name))
        gone()
        guard let own else { return }
        var used: Set<String> = []
        for other in try names() {
            guard let packs = try packs(of: other) else { return }
            used.formUnion(packs)
        }
        for pack in own where !used.contains(pack) { try delete(pack) }
    }

    /// What a snapshot refers to; nil when it is damaged.
    private func packs(of name: SnapshotName) throws(SnapshotFailure) -> [String]? {
        do throws(SnapshotFailure) { return try manifest(of: name).manifest.packs.map(\.key) } catch {
            guard error.isDamage else { throw error }
            return nil
        }
    }

    /// What a snapshot has left that was not completed.
    ///
    /// Nobody may know whether storing the manifest succeeded after all, so it goes first. As long as that is not certain the
    /// packs stay: a snapshot that is there is whole.
    func removeRest(of name: SnapshotName, _ keys: [String]) {
        guard (try? delete(Self.key(of: name))) != nil else { return }
        // It was going to fail already; what stays is found by `removeLeftovers`.
        for key in keys { try? delete(key) }
    }

    /// Packs of snapshots that were begun long ago and of which there is no manifest, unless others use them.
    /// - Returns: how many there were.
    func removeLeftovers(begunBefore limit: Int64) throws(SnapshotFailure) -> Int {
        var abandoned: [String] = []
        let complete = Set(try names())
        try list(Self.packs) { entry in
            let parts = entry.key.split(separator: "/")
            guard parts.count == 3, let name = SnapshotName(String(parts[1])), !complete.contains(name),
                let begun = name.milliseconds, begun < limit
            else { return }
            abandoned.append(entry.key)
        }
        guard !abandoned.isEmpty else { return 0 }
        var used: Set<String> = []
        for name in complete { used.formUnion(try manifest(of: name).manifest.packs.map(\.key)) }
        let unused = abandoned.filter { !used.contains($0) }
        for key in unused { try delete(key) }
        return unused.count
    }

    private func delete(_ key: String) throws(SnapshotFailure) {
        do throws(ObjectStoreFailure) { try objects.delete(key) } catch { throw .store(error) }
    }
}

extension SHA256 {
    /// As it is shown: `sha256:` and 64 hexadecimal digits.
    static func text(of bytes: [UInt8]) -> String {
        "sha256:" + DigestText.hexadecimal(digest(of: bytes))
    }
}
