import ObjectStorage
import Platform
import StorageEngine

/// Loads the records of a range of time from an archive: that of one server, which need not be there any more.
struct ArchiveReplay {
    let engine: Engine
    let objects: any ObjectStore
    let options: LoadOptions
    let timestamps: Range<Int64>
    let job: Job

    /// What objects have of one log.
    private struct ArchivedLog {
        var content: ArchiveContent
        var pieces: [(key: String, piece: ArchiveContent.Piece)]
    }

    /// - Returns: whether there is an archive.
    static func isThere(_ objects: any ObjectStore) throws(SnapshotFailure) -> Bool {
        try !entries(objects).isEmpty
    }

    private static func entries(_ objects: any ObjectStore) throws(SnapshotFailure) -> [ObjectEntry] {
        var entries: [ObjectEntry] = []
        do throws(ObjectStoreFailure) {
            try objects.list(prefix: "") { entries += $0.filter { ArchiveContent.isName($0.key) } }
        } catch {
            throw .store(error)
        }
        return entries
    }

    func run() throws(SnapshotFailure) {
        let range = ReplayRange(timestamps: timestamps, now: engine.clock.now())
        let logs = try options.choose(from: try archivedLogs(), \.content.log)
        let wanted = logs.map { log in log.pieces.filter { isWanted($0.piece) } }
        job.update { progress in
            progress.logs = logs.map { options.name(of: $0.content.log) }
            progress.bytesTotal = wanted.reduce(0) { $1.reduce($0) { $0 + $1.piece.range.count } }
        }
        let incoming = IncomingLogs(engine)
        for (log, pieces) in zip(logs, wanted) {
            let made: IncomingLog
            do throws(EngineError) {
                made = try incoming.add(
                    named: options.name(of: log.content.log), log.content.configuration.forReplay,
                    replacing: options.replaces)
            } catch {
                throw .engine(error)
            }
            for (key, piece) in pieces {
                try job.checkCancelled()
                try load(piece, of: key, range, into: made)
            }
            made.finish(bounds: nil)
        }
        try job.checkCancelled()
        do throws(EngineError) { try incoming.publish(replacing: options.replaces) } catch {
            throw .engine(error)
        }
    }

    private func isWanted(_ piece: ArchiveContent.Piece) -> Bool {
        piece.timestamps.upperBound >= timestamps.lowerBound
            && piece.timestamps.lowerBound < timestamps.upperBound
    }

    private func load(
        _ piece: ArchiveContent.Piece, of key: String, _ range: ReplayRange, into log: IncomingLog
    ) throws(SnapshotFailure) {
        let bytes = try read(key, piece.range)
        guard piece.matches(bytes.bytes) else {
            throw damage(key, "does not have its checksum at byte \(piece.range.lowerBound)")
        }
        do throws(IncomingFailure) {
            let count = try log.replay(rows: bytes.bytes, dead: nil, to: piece.partition, range)
            job.update { progress in
                progress.bytes += piece.range.count
                progress.records += count
            }
        } catch {
            switch error {
            case .damaged(let reason): throw damage(key, reason)
            case .refused(let error): throw .engine(error)
            }
        }
    }

    // MARK: What there is

    /// By name; of two logs that had it one after the other, the later.
    private func archivedLogs() throws(SnapshotFailure) -> [ArchivedLog] {
        let entries = try Self.entries(objects)
        let spaces = Set(entries.map { ArchiveContent.space(ofKey: $0.key) }).sorted()
        guard spaces.count <= 1 else {
            let places = spaces.map { "\(objects.location)/\($0)" }.joined(separator: ", ")
            throw .invalid(
                field: "source", reason: "has the archives of several servers; name one: \(places)")
        }
        var logs: [String: ArchivedLog] = [:]
        for entry in entries {
            try job.checkCancelled()
            let content = try content(of: entry)
            let pieces = content.pieces.map { (entry.key, $0) }
            if let known = logs[content.log], known.content.logNumber >= content.logNumber {
                if known.content.logNumber == content.logNumber { logs[content.log]?.pieces += pieces }
            } else {
                logs[content.log] = ArchivedLog(content: content, pieces: pieces)
            }
        }
        return logs.values.map { log in
            var log = log
            log.pieces = Self.ordered(log.pieces)
            return log
        }.sorted { $0.content.log < $1.content.log }
    }

    /// In the order of offsets. What a crash had moved twice is there twice.
    private static func ordered(
        _ pieces: [(key: String, piece: ArchiveContent.Piece)]
    ) -> [(key: String, piece: ArchiveContent.Piece)] {
        let sorted = pieces.sorted { left, right in
            // Of two that begin at the same offset the longer one has all.
            (left.piece.partition, left.piece.offsets.lowerBound, right.piece.offsets.upperBound)
                < (right.piece.partition, right.piece.offsets.lowerBound, left.piece.offsets.upperBound)
        }
        var ends: [Int: Int64] = [:]
        return sorted.filter { _, piece in
            guard piece.offsets.lowerBound >= ends[piece.partition] ?? 0 else { return false }
            ends[piece.partition] = piece.offsets.upperBound
            return true
        }
    }

    private func content(of entry: ObjectEntry) throws(SnapshotFailure) -> ArchiveContent {
        guard entry.bytes >= ArchiveContent.trailerBytes else { throw damage(entry.key, "is too short") }
        let trailer = try read(entry.key, entry.bytes - ArchiveContent.trailerBytes..<entry.bytes)
        do throws(SnapshotDamage) {
            let place = try ArchiveContent.index(of: trailer.bytes, objectBytes: entry.bytes)
            let index: ByteBuffer
            do throws(SnapshotFailure) { index = try read(entry.key, place) } catch {
                throw SnapshotDamage("cannot be read: \(error)")
            }
            defer { withExtendedLifetime((trailer, index)) {} }
            return try ArchiveContent(
                index: index.bytes, trailer: trailer.bytes, objectBytes: entry.bytes)
        } catch {
            throw damage(entry.key, error.description)
        }
    }

    private func read(_ key: String, _ range: Range<Int>) throws(SnapshotFailure) -> ByteBuffer {
        let bytes = ByteBuffer(capacity: min(range.count, 8 << 20))
        do throws(ObjectStoreFailure) {
            try objects.get(key, range: range) { bytes.append($0) }
        } catch {
            throw .store(error)
        }
        return bytes
    }

    private func damage(_ key: String, _ reason: String) -> SnapshotFailure {
        .damaged(object: "\(objects.location)/\(key)", reason: reason)
    }
}
