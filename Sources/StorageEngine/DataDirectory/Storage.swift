import Platform
import Synchronization

/// The disk under an engine: recovers, then runs the threads that write.
final class Storage: Sendable {
    let directory: DataDirectory
    private let threads = Lock<[Thread]>([])
    private let readBytes = Atomic<Int>(0)
    private let totalBytes = Atomic<Int>(0)
    private let bootID: String
    let clock: Clock
    private let isRunning = Atomic<Bool>(false)
    /// Until checkpoints are written.
    private let recovered = Lock<(checkpoint: Checkpoint, segments: [SegmentID: Int])?>(nil)
    private let checkpoints = Lock<CheckpointThread?>(nil)
    /// Of the write-ahead log in this run.
    private let firstFile = Lock<(number: UInt64, first: LSN)>((0, .zero))
    private let workers = Lock<[Thread]>([])
    /// `last-run` is being written, which waits for the disk.
    private let noting = Atomic<Bool>(false)
    /// How late it was, as `last-run` says, and up to when rows have been found expired since.
    let seen = Lock<(noted: SeenTime, swept: Int64?)>((.init(), nil))

    var wal: WriteAheadLog { directory.wal }
    var progress: (bytesRead: Int, bytesTotal: Int) {
        (readBytes.load(ordering: .relaxed), totalBytes.load(ordering: .relaxed))
    }

    /// - Parameters:
    ///   - maxBytes: of all files; beyond it the disk counts as full. Segments are not held up by it: they make room.
    ///   - reportFailure: of the threads here.
    init(
        _ directory: DataDirectory, _ clock: Clock, maxBytes: Int?,
        reportFailure: @escaping @Sendable (String) -> Void
    ) {
        self.directory = directory
        self.clock = clock
        bootID = LastRun.currentBootID(directory.files)
        if let maxBytes {
            directory.limit.set { [weak self] bytes in
                self.map { $0.usedBytes + bytes <= maxBytes } ?? true
            }
        }
        directory.wal.onFailure { [weak self] reason in
            // What a failed synchronisation has lost may have been seen: as after a loss of power. When this cannot be
            // written either, nothing can.
            try? self?.note(orderly: false)
            reportFailure("the write-ahead log takes nothing more: \(reason)")
        }
    }

    /// Of the write-ahead log, the file in use included, of segments, and of the key index.
    private var usedBytes: Int {
        wal.closedBytes + directory.walFileBytes + (checkpointFigures?.segmentBytes ?? 0)
            + directory.keyPages.fileBytes
    }

    /// Reads everything, then starts to write. Afterwards entries may be submitted.
    func recover(_ services: EngineServices) throws(StorageFailure) -> Recovery {
        var recovery = Recovery(services: services)
        var stored = try CheckpointRecovery(directory)
        services.archive.recovered(stored.checkpoint)
        do throws(FileFailure) {
            var total = stored.imageBytes
            for path in directory.foundWALFiles { total += try directory.files.open(path, .read).size() }
            totalBytes.store(total, ordering: .relaxed)
        } catch {
            throw StorageFailure(error)
        }
        let lastRun = try self.lastRun()
        if let lastRun { seen.withLock { $0.noted = lastRun.seen } }
        try recovery.restore(&stored, seen: lastRun?.seen) { readBytes.store($0, ordering: .relaxed) }
        var log = WALRecovery(
            files: directory.files, directory: directory.walPath, after: stored.checkpoint.lsn,
            required: directory.requiredWALFiles(stored.checkpoint))
        do throws(StorageFailure) {
            try log.run(directory.foundWALFiles) { bytes in
                readBytes.store(stored.bytesRead + bytes, ordering: .relaxed)
            } _: { lsn, payload in
                try recovery.apply(lsn, payload)
            }
        } catch {
            try directory.putAside(error, log.ordered)
            recovery.noteDamage(error)
        }
        recovery.finish()
        try stored.removeUnneeded()
        recovered.withLock { $0 = (stored.checkpoint, stored.segments) }
        try start(log)
        forgetLostFrames()
        try beginEpochs(of: recovery.logs.values, lastRun, isDamaged: !recovery.report.damage.isEmpty)
        try note(orderly: false)
        recovery.report.logs = recovery.logs.count
        recovery.report.bytesRead = stored.bytesRead + log.bytesRead
        recovery.report.frames = log.frames
        recovery.report.tornFrames = log.tornFrames
        return recovery
    }

    private func lastRun() throws(StorageFailure) -> LastRun? {
        do throws(FileFailure) { return try directory.lastRun() } catch { throw StorageFailure(error) }
    }

    /// From any thread, one after the other. Once the write-ahead log has failed it says so, whoever comes last.
    func note(orderly: Bool) throws(StorageFailure) {
        while noting.exchange(true, ordering: .acquiring) { Clock.giveWay() }
        defer { noting.store(false, ordering: .releasing) }
        let begun = firstFile.withLock { $0 }
        let run = LastRun(
            bootID: wal.failure == nil ? bootID : "", wasOrderly: orderly, walFile: begun.number,
            firstLSN: begun.first, seen: noteTime())
        do throws(FileFailure) {
            try directory.replace(LastRun.file, with: run.encode())
        } catch {
            throw StorageFailure(error)
        }
    }

    private func start(_ log: WALRecovery) throws(StorageFailure) {
        for file in log.closed { wal.close(file) }
        let supply = wal.supply
        threads.withLock { $0 = [Thread(name: "wal-files") { supply.run() }] }
        do throws(WALFileSupply.Failure) {
            let flusher = try WALFlusher(wal, last: log.synchronised, tail: log.tail.map(\.payload))
            firstFile.withLock { $0 = (flusher.fileNumber, flusher.firstLSN) }
            threads.withLock { $0.append(Thread(name: "wal") { flusher.run() }) }
            isRunning.store(true, ordering: .relaxed)
        } catch {
            supply.stop()
            joinThreads()
            let reason =
                switch error {
                case .full: "there is no space for another file"
                case .stopped: "it is being stopped"
                case .refused(let failure): "\(failure)"
                }
            throw StorageFailure(
                path: directory.walPath, reason: "the write-ahead log cannot be written: \(reason)")
        }
    }

    /// From now on the write-ahead log is cut.
    ///
    /// - Parameters:
    ///   - bytes: how much may be written to the write-ahead log before there is a checkpoint.
    ///   - report: of failures, each of which is tried again.
    func startCheckpoints(
        everyBytes bytes: Int, _ archive: Archive, _ source: Checkpointer.Source,
        report: @escaping @Sendable (String) -> Void
    ) {
        guard let (checkpoint, segments) = recovered.withLock({ $0 }) else { return }
        recovered.withLock { $0 = nil }
        let checkpointer = Checkpointer(directory, checkpoint, segments: segments, archive, source)
        let running = CheckpointThread(checkpointer, wal, everyBytes: bytes, report) {
            [weak self] checkpoint in
            self?.noteExpiry(checkpoint)
        }
        checkpoints.withLock { $0 = running }
        running.start()
    }

    /// Writes one and waits for it. - Throws: why there is none.
    /// - Parameter forced: of hybrid logs too all is written.
    func checkpoint(forced: Bool = false) throws(CheckpointFailure) {
        try checkpoints.withLock({ $0 })?.runNow(forced: forced)
    }

    var checkpointFigures: CheckpointFigures? { checkpoints.withLock { $0?.figures } }

    /// New epochs are on disk before anybody sees them.
    private func beginEpochs(
        of logs: some Sequence<Log>, _ lastRun: LastRun?, isDamaged: Bool
    ) throws(StorageFailure) {
        for log in logs where isDamaged || Recovery.mayHaveLost(log, lastRun, bootID: bootID) {
            log.begin(.random())
            submit(.describeLog(log.description))
        }
        if !synchronise() {
            throw StorageFailure(
                path: directory.path,
                reason: wal.failure ?? "the write-ahead log cannot be synchronised")
        }
    }

    /// The entry is submitted; what it is called under decides the order.
    @discardableResult
    func submit(_ effect: CommitEffect) -> CommitEntry { submit([effect]) }

    func submit(_ effects: [CommitEffect]) -> CommitEntry {
        let entry = CommitEntry(effects: effects)
        wal.submit(entry, .init())
        return entry
    }

    /// Waits until all that was submitted is on disk. - Returns: false when that failed.
    private func synchronise() -> Bool {
        let done = Awaited<Bool>()
        wal.add(.synchronise { done.fulfil($0) })
        return done.wait()
    }

    /// - Returns: false when the write-ahead log failed.
    func submitAndWait(_ effect: CommitEffect) -> Bool { wait(for: submit(effect)) }

    /// - Returns: false when the entry failed.
    func wait(for entry: CommitEntry) -> Bool {
        let decided = Awaited<Bool>()
        entry.whenDecided { decision in
            if case .committed = decision { decided.fulfil(true) } else { decided.fulfil(false) }
        }
        return decided.wait()
    }

    /// Writes what was submitted, and notes that nothing is missing.
    /// - Parameter writesAll: there are hybrid logs, of which something may be in memory only.
    func stop(writesAll: Bool) {
        wal.supply.stopWaitingForSpace()
        for worker in workers.withLock({ $0 }) { worker.join() }
        var isComplete = true
        if writesAll {
            do throws(CheckpointFailure) { try checkpoint(forced: true) } catch { isComplete = false }
        }
        checkpoints.withLock { $0 }?.stop()
        wal.stop()
        joinThreads(except: 1)
        wal.supply.stop()
        joinThreads()
        // A failure is only a run that did not end in an orderly way.
        if isRunning.exchange(false, ordering: .relaxed), wal.failure == nil, isComplete {
            try? note(orderly: true)
        }
        directory.release()
    }

    /// Control work that may wait, on a thread of its own; `stop` waits for it.
    func run(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(name: name, body)
        workers.withLock { $0.append(thread) }
    }

    private func joinThreads(except kept: Int = 0) {
        let ended = threads.withLock { threads in
            defer { threads = Array(threads.prefix(kept)) }
            return Array(threads.dropFirst(kept))
        }
        for thread in ended { thread.join() }
    }
}
