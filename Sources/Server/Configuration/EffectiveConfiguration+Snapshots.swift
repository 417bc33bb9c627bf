import Glibc
import ObjectStorage
import Snapshots
import StorageEngine

/// What snapshots take from the configuration.
extension EffectiveConfiguration {
    /// - Throws: for a location that is none, and for a schedule without a place.
    func snapshots() throws(UsageFailure) -> SnapshotConfiguration {
        var snapshots = SnapshotConfiguration()
        snapshots.location = try location(.snapshotsLocation)
        snapshots.intervalMilliseconds = integer(.snapshotsInterval).map { Int64($0) }
        if let count = integer(.snapshotsKeep) { snapshots.keep = count }
        for text in list(.allowedLocations) {
            snapshots.allowedLocations.append(try Self.location(text, .allowedLocations))
        }
        if let path = text(.dataDir) {
            snapshots.dataDirectory = try Self.location(Self.absolute(path), .dataDir)
        }
        if snapshots.location == nil {
            for setting in [Setting.snapshotsInterval, .snapshotsRestore] where isSet(setting) {
                throw UsageFailure(
                    "\(setting.key) needs snapshots.location, a directory or s3://bucket/prefix")
            }
        }
        if let place = snapshots.location, snapshots.isOwn(place) {
            throw UsageFailure(
                "snapshots.location: \(place) is where the server keeps its own files (data_dir)")
        }
        let places =
            [snapshots.location, try location(.restore)].compactMap(\.self) + snapshots.allowedLocations
        // What is wrong with the credentials is said now, and not by the first snapshot.
        for place in places {
            do throws(ObjectStoreFailure) { _ = try stores.open(place) } catch {
                throw UsageFailure("\(place): \(error.detail)")
            }
        }
        return snapshots
    }

    /// Opens the archive of a log. Who reads from it waits: less often, then, and less long than a snapshot does.
    func openArchive(
        _ snapshots: SnapshotConfiguration, isStopping: @escaping @Sendable () -> Bool
    ) -> @Sendable (String) throws -> any ArchiveStore {
        let stores = stores.configured { s3 in
            s3.retries.attemptsMax = 3
            s3.retries.retryAfterSecondsMax = 5
            s3.stallSeconds = 10
        }
        return { text in
            let place = try snapshots.place(text, field: "hybrid.s3_archive")
            return ArchiveObjects(try stores.open(place, isCancelled: isStopping))
        }
    }

    private func isSet(_ setting: Setting) -> Bool {
        self[setting] != SettingValue.none && self[setting] != .boolean(false)
    }

    /// Whose newest snapshot becomes the state, and whether there has to be one.
    func restoreSource() throws(UsageFailure) -> (location: ObjectLocation, isRequired: Bool)? {
        if let place = try location(.restore) { return (place, true) }
        guard isOn(.snapshotsRestore) else { return nil }
        return try location(.snapshotsLocation).map { ($0, false) }
    }

    var stores: ObjectStores {
        let (endpoint, region) = (text(.s3Endpoint), text(.s3Region))
        let usesPathStyle: Bool? = self[.s3PathStyle] == SettingValue.none ? nil : isOn(.s3PathStyle)
        return ObjectStores(environment: ConfigurationSource.processEnvironment()) { s3 in
            if let endpoint { s3.endpoint = endpoint }
            if let region { s3.region = region }
            if let usesPathStyle { s3.usesPathStyle = usesPathStyle }
        }
    }

    private func location(_ setting: Setting) throws(UsageFailure) -> ObjectLocation? {
        guard let text = text(setting) else { return nil }
        return try Self.location(text, setting)
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        let segments = path.split(separator: "/").filter { $0 != "." }
        return String(cString: here) + "/" + segments.joined(separator: "/")
    }

    private static func location(_ text: String, _ setting: Setting) throws(UsageFailure) -> ObjectLocation {
        do throws(ObjectStoreFailure) { return try ObjectLocation(text) } catch {
            throw UsageFailure("\(setting.key): \"\(text)\": \(error.detail)")
        }
    }
}
