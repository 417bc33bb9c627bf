import Platform
import Synchronization

/// Writes checkpoints: batches that are not on disk yet go into new segments, then the checkpoint file says where everything
/// lies, then the write-ahead log is cut behind what it says and segments that nothing refers to are removed.
///
/// Partitions are looked at one after the other, each at its own instant after the frame that the checkpoint begins with:
/// replaying the write-ahead log on top makes them one again, because entries are passed over by their offsets.
/// Used by one thread.
final class Checkpointer: @unchecked Sendable {
    // Sendable: one thread calls `run`; what others ask for goes through atomics.
    /// A segment is closed once it has as much: whole segments are what goes when little in them is alive.
    static let segmentBytes = 64 << 20
    /// Of a segment's bytes; below it what is alive is written anew.
    private static let liveShareMin = 0.5

    struct Source: Sendable {
        /// All logs, those that are being restored, and the number of the next one.
        let catalog: @Sendable () -> (logs: [Log], incoming: [Log], nextID: UInt64)
        let receipts: @Sendable () -> [ReceiptRecord]
        /// Something in memory is old enough to be on disk.
        let isDue: @Sendable (_ now: Int64) -> Bool
        let clock: Clock
    }

    private let directory: DataDirectory
    private let wal: WriteAheadLog
    private let archive: Archive
    let source: Source
    /// The length of each segment file that is there.
    private var segments: [SegmentID: Int]
    private var nextSegment: SegmentID
    private var sparse: Set<SegmentID> = []
    let figures = CheckpointFigures()

    init(
        _ directory: DataDirectory, _ recovered: Checkpoint, segments: [SegmentID: Int], _ archive: Archive,
        _ source: Source
    ) {
        self.directory = directory
        self.archive = archive
        wal = directory.wal
        self.source = source
        self.segments = segments
        nextSegment = max(
            recovered.nextSegment, SegmentID(rawValue: (segments.keys.map(\.rawValue).max() ?? 0) + 1))
        noteSparse(recovered.images)
    }

    /// - Throws: what the disk refused; what was there before stays in force then.
    /// - Parameter forced: of hybrid logs too all is written.
    func run(forced: Bool = false) throws(CheckpointFailure) {
        let start = Clock.monotonicNanoseconds()
        let boundary = Awaited<WriteAheadLog.Boundary?>()
        wal.add(.rotate { boundary.fulfil($0) })
        guard let begin = boundary.wait() else { throw .logFailed }
        var checkpoint = Checkpoint()
        checkpoint.lsn = begin.last
        checkpoint.walFile = begin.file
        let (visible, incoming, nextID) = source.catalog()
        let logs = visible + incoming
        checkpoint.nextLogID = nextID
        checkpoint.receipts = source.receipts()
        checkpoint.archive = archive.space
        var images = NewImages(directory, nextSegment)
        do throws(FileFailure) {
            for log in visible { checkpoint.logs.append(try record(of: log, forced: forced, &images)) }
            for log in incoming {
                var record = try record(of: log, forced: forced, &images)
                record.description.isIncoming = true
                checkpoint.logs.append(record)
            }
            try images.finish()
        } catch {
            nextSegment = images.next
            images.remove()
            throw .refused(error)
        }
        checkpoint.nextSegment = images.next
        nextSegment = images.next
        segments.merge(images.lengths) { $1 }
        // After a failure it may be in force all the same: its segments and objects stay until another one is.
        archive.willPublish(checkpoint)
        do throws(FileFailure) { try publish(checkpoint) } catch { throw .refused(error) }
        images.adopt()
        archive.didPublish(checkpoint)
        for (log, record) in zip(logs, checkpoint.logs) { log.checkpointed(record.partitions.map(\.tail)) }
        do throws(FileFailure) {
            try wal.discard(through: begin.last)
            try removeUnneeded(checkpoint.images)
        } catch {
            throw .refused(error)
        }
        noteSparse(checkpoint.images)
        figures.note(nanoseconds: Clock.monotonicNanoseconds() - start, written: images.writtenBytes)
    }

    /// What it refers to is on disk, also what was committed before its frame was synchronised.
    private func publish(_ checkpoint: Checkpoint) throws(FileFailure) {
        let synchronised = Awaited<Bool>()
        wal.add(.synchronise { synchronised.fulfil($0) })
        guard synchronised.wait() else {
            throw FileFailure("synchronise", directory.path, FileFailure.logFailed)
        }
        let content = checkpoint.encode()
        try directory.replace(Checkpoint.file, with: content)
        try directory.replace(Checkpoint.copy, with: content)
    }

    // MARK: One log

    private func record(
        of log: Log, forced: Bool, _ images: inout NewImages
    ) throws(FileFailure) -> Checkpoint.LogRecord {
        var record = Checkpoint.LogRecord(
            description: log.descriptionOnDisk, partitions: [], producers: [])
        // One that is about to become durable is not yet: a crash leaves it empty.
        guard log.isDurable, record.description.configuration.mode != .memory else { return record }
        for partition in log.partitions {
            record.partitions.append(try self.record(of: partition, log.id, forced: forced, &images))
        }
        // After the rows: a producer's call is never there without what it wrote.
        record.producers = log.producers.withLock { $0.decidedCalls }
        return record
    }

    private func record(
        of partition: Partition, _ log: LogID, forced: Bool, _ images: inout NewImages
    ) throws(FileFailure) -> Checkpoint.PartitionRecord {
        // Writing the others took its time, and what has arrived since is not of another clock.
        let (first, tail, views) = partition.checkpointViews(now: source.clock.now(), forced: forced)
        var record = Checkpoint.PartitionRecord(first: first, tail: tail, images: [])
        for view in views {
            let rows = view.view.rows.upperBound
            let header = view.view.header
            var image = view.stored
            if let archived = view.archived { images.hold(archived) }
            let archived = view.archived?.piece
            if image?.rows != rows || isUnusable(image?.piece.segment) || image?.archived != archived {
                image = try images.write { writer throws(FileFailure) in
                    try writer.append(
                        header, rows: rows, endOfRange: min(header.endOfRange, tail), archived: archived,
                        of: log, partition: partition.number)
                }
            }
            guard var image else { continue }
            let present = header.present?.count(in: 0..<rows) ?? rows
            let newest = view.newest?.count(in: 0..<rows) ?? rows
            let isUnchanged = image.presentCount == present && image.newestCount == newest
            if !isUnchanged || isUnusable(view.stored?.dead?.piece.segment) {
                image.dead = try images.write { writer throws(FileFailure) in
                    try writer.append(
                        present: header.present, newest: view.newest, rows: rows, of: log,
                        partition: partition.number)
                }
            }
            if image != view.stored { images.note(image, of: view.view.batch, in: partition) }
            record.images.append(image)
        }
        return record
    }

    // MARK: Segments

    /// What lies there is written anew: little else does, or the log was in memory only meanwhile and the file is gone.
    private func isUnusable(_ segment: SegmentID?) -> Bool {
        segment.map { sparse.contains($0) || segments[$0] == nil } ?? false
    }

    private func noteSparse(_ images: some Sequence<StoredImage>) {
        var live: [SegmentID: Int] = [:]
        for image in images {
            live[image.piece.segment, default: 0] += image.piece.bytes
            if let dead = image.dead { live[dead.piece.segment, default: 0] += dead.piece.bytes }
        }
        sparse = Set(
            segments.filter { Double(live[$0.key] ?? 0) < Double($0.value) * Self.liveShareMin }.keys)
        figures.note(
            live: live.values.reduce(0, +), total: segments.values.reduce(0, +), count: segments.count)
    }

    private func removeUnneeded(_ images: some Sequence<StoredImage>) throws(FileFailure) {
        let needed = images.segments
        for id in segments.keys where !needed.contains(id) {
            try directory.remove(id)
            segments[id] = nil
        }
    }
}

enum CheckpointFailure: Error, Equatable, CustomStringConvertible {
    /// The write-ahead log takes nothing more.
    case logFailed
    case refused(FileFailure)

    var description: String {
        switch self {
        case .logFailed: "the write-ahead log failed"
        case .refused(let failure): failure.description
        }
    }
}

/// The segments that one checkpoint writes, and which batches are in them.
private struct NewImages {
    private let directory: DataDirectory
    private(set) var next: SegmentID
    private var writer: SegmentWriter?
    private(set) var lengths: [SegmentID: Int] = [:]
    private var opened: [SegmentID] = []
    private var written: [(image: StoredImage, batch: Batch, partition: Partition)] = []
    /// Their objects are not deleted before the checkpoint refers to them.
    private var held: [ArchivedBatch] = []

    init(_ directory: DataDirectory, _ next: SegmentID) {
        self.directory = directory
        self.next = next
    }

    var writtenBytes: Int { lengths.values.reduce(0, +) }

    mutating func write<Result>(
        _ body: (SegmentWriter) throws(FileFailure) -> Result
    ) throws(FileFailure) -> Result {
        if let full = writer?.position, full >= Checkpointer.segmentBytes { try closeWriter() }
        let open: SegmentWriter
        if let writer {
            open = writer
        } else {
            let id = next
            next = SegmentID(rawValue: next.rawValue + 1)
            opened.append(id)
            open = try SegmentWriter(id, in: directory)
            writer = open
        }
        return try body(open)
    }

    private mutating func closeWriter() throws(FileFailure) {
        guard let last = writer else { return }
        writer = nil
        lengths[last.id] = try last.finish()
    }

    mutating func note(_ image: StoredImage, of batch: Batch, in partition: Partition) {
        written.append((image, batch, partition))
    }

    mutating func hold(_ archived: ArchivedBatch) { held.append(archived) }

    /// All is on disk afterwards.
    mutating func finish() throws(FileFailure) {
        try closeWriter()
        if !opened.isEmpty { try directory.files.synchroniseDirectory(directory.segmentPath) }
    }

    /// The checkpoint refers to them now.
    func adopt() {
        for (image, batch, partition) in written {
            partition.state.withLock { state in
                if image.archived == nil || image.archived == batch.archived?.piece {
                    batch.stored = image
                } else {
                    // It was to stay on this machine after all, which was decided meanwhile.
                    state.forgetStored(batch)
                }
            }
        }
    }

    /// Nothing refers to them: what cannot be removed now is removed at the next start.
    func remove() {
        for id in opened { try? directory.remove(id) }
    }
}

/// What checkpoints have done since the start.
package final class CheckpointFigures: Sendable {
    private let runs = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let nanoseconds = Atomic<Int>(0)
    private let written = Atomic<Int>(0)
    private let live = Atomic<Int>(0)
    private let total = Atomic<Int>(0)
    private let segments = Atomic<Int>(0)

    fileprivate func note(nanoseconds: Int64, written: Int) {
        runs.wrappingAdd(1, ordering: .relaxed)
        self.nanoseconds.wrappingAdd(Int(nanoseconds), ordering: .relaxed)
        self.written.wrappingAdd(written, ordering: .relaxed)
    }

    fileprivate func note(live: Int, total: Int, count: Int) {
        self.live.store(live, ordering: .relaxed)
        self.total.store(total, ordering: .relaxed)
        segments.store(count, ordering: .relaxed)
    }

    func noteFailure() { failures.wrappingAdd(1, ordering: .relaxed) }

    package var count: Int { runs.load(ordering: .relaxed) }
    package var failureCount: Int { failures.load(ordering: .relaxed) }
    package var seconds: Double { Double(nanoseconds.load(ordering: .relaxed)) / 1e9 }
    package var writtenBytes: Int { written.load(ordering: .relaxed) }
    /// Of segments: what is referred to, and all.
    package var liveBytes: Int { live.load(ordering: .relaxed) }
    package var segmentBytes: Int { total.load(ordering: .relaxed) }
    package var segmentCount: Int { segments.load(ordering: .relaxed) }
}
