import Platform
import Synchronization

/// The thread that encodes, writes, synchronises and commits, in the order of submission.
///
/// Invariant: an entry is committed after its frame was written, and after a successful `fdatasync` if it or an entry
/// beside it wants one. After a failure nothing is committed any more, and no file is synchronised a second time.
final class WALFlusher: @unchecked Sendable {
    // Sendable: made by one thread and then run by another, never used by two.
    /// Beyond it a frame is closed: who waits for the first entry should not wait for thousands more.
    private static let frameBytesMax = 8 << 20

    private let log: WriteAheadLog
    private var file: WALFile
    private let buffer = ByteBuffer(capacity: 1 << 20)
    var fileNumber: UInt64 { file.number }
    var firstLSN: LSN { file.first }
    /// All frames up to it are on disk.
    private var synchronised: LSN
    /// When what was written has to be synchronised, in monotonic milliseconds.
    private var synchronisationDue: Int64?

    /// - Parameters:
    ///   - last: the last frame that is on disk.
    ///   - tail: frames behind it that were read but may never have been synchronised, each with a header's room: they are
    ///     written again, because a file whose synchronisation has failed reads well and is not on disk.
    init(_ log: WriteAheadLog, last: LSN, tail: [ByteBuffer]) throws(WALFileSupply.Failure) {
        self.log = log
        synchronised = last
        let tailBytes = tail.reduce(0) { $0 + WALFormat.frameBytes(payload: $1.count) }
        // A start that waited would look like one that hangs.
        let blank = try log.supply.take(forPayload: tailBytes, waitsForSpace: false)
        do throws(FileFailure) {
            file = try WALFile(blank, first: last.next)
            for frame in tail { try file.write(frame, synchronised: last) }
            if !tail.isEmpty { try file.synchronise() }
        } catch {
            throw .refused(error)
        }
        synchronised = file.last
        log.note(written: file.last)
    }

    /// Until the log is stopped.
    func run() {
        while true {
            let generation = log.generation
            let (work, isStopping) = log.take()
            if !work.isEmpty {
                process(work)
                continue
            }
            if isStopping {
                if file.last > synchronised { _ = synchronise() }
                return
            }
            var wait: Int64?
            if let due = synchronisationDue {
                let now = Self.nowMilliseconds()
                if due <= now {
                    _ = synchronise()
                    continue
                }
                wait = due - now
            }
            log.wait(since: generation, milliseconds: wait)
        }
    }

    private static func nowMilliseconds() -> Int64 { Clock.monotonicNanoseconds() / 1_000_000 }

    private func process(_ work: [WriteAheadLog.Work]) {
        var group: [(entry: CommitEntry, policy: WriteAheadLog.Policy)] = []
        beginFrame()
        for item in work {
            switch item {
            case .entry(let entry, let policy):
                entry.encode(to: buffer)
                group.append((entry, policy))
                if buffer.count >= Self.frameBytesMax { finish(&group) }
            case .rotate(let done):
                finish(&group)
                // A checkpoint makes room on a full disk: it must not wait for it.
                let isDone = rotate(waitsForSpace: false)
                done(isDone ? .init(last: synchronised, file: file.number) : nil)
            case .synchronise(let done):
                finish(&group)
                done(file.last <= synchronised || synchronise())
            }
        }
        finish(&group)
    }

    private func beginFrame() {
        buffer.removeAll()
        buffer.appendZeros(WALFormat.headerBytes)
    }

    /// Writes the frame of these entries, and tells them what became of it.
    private func finish(_ group: inout [(entry: CommitEntry, policy: WriteAheadLog.Policy)]) {
        guard !group.isEmpty else { return }
        let isDone = write(group.map(\.policy))
        for (entry, _) in group {
            // What only lies in memory has nothing to fear from the disk.
            if isDone || !entry.isDurable {
                entry.commit()
            } else {
                entry.fail(log.failure ?? "the write-ahead log failed")
            }
            log.decided(entry)
        }
        log.figures.entries.wrappingAdd(group.count, ordering: .relaxed)
        group.removeAll(keepingCapacity: true)
        beginFrame()
    }

    private func write(_ policies: [WriteAheadLog.Policy]) -> Bool {
        let payload = buffer.count - WALFormat.headerBytes
        guard log.failure == nil else { return false }
        // Entries of logs in memory only take part for the order.
        guard payload > 0 else { return true }
        if !file.hasRoom(forPayload: payload), !rotate(forPayload: payload) { return false }
        do throws(FileFailure) {
            try file.write(buffer, synchronised: synchronised)
        } catch {
            log.fail("\(error)")
            return false
        }
        log.note(written: file.last)
        log.note(roomBytes: file.roomBytes)
        log.figures.written.wrappingAdd(buffer.count, ordering: .relaxed)
        log.figures.frames.wrappingAdd(1, ordering: .relaxed)
        if policies.contains(where: \.synchronises) { return synchronise() }
        if let interval = policies.compactMap(\.intervalMilliseconds).min() {
            let due = Self.nowMilliseconds() + interval
            synchronisationDue = min(due, synchronisationDue ?? due)
        }
        return true
    }

    private func synchronise() -> Bool {
        guard log.failure == nil else { return false }
        let start = Clock.monotonicNanoseconds()
        do throws(FileFailure) {
            try file.synchronise()
        } catch {
            log.fail("\(error)")
            return false
        }
        synchronised = file.last
        synchronisationDue = nil
        log.figures.synchronisations.wrappingAdd(1, ordering: .relaxed)
        log.figures.synchronisationNanoseconds.wrappingAdd(
            Int(Clock.monotonicNanoseconds() - start), ordering: .relaxed)
        return true
    }

    /// Goes on in a new file, once this one is on disk; without `waitsForSpace` in this one when there is no other.
    private func rotate(forPayload payload: Int = 0, waitsForSpace: Bool = true) -> Bool {
        guard file.last <= synchronised || synchronise(), log.failure == nil else { return false }
        do {
            let blank = try log.supply.take(
                forPayload: payload, waitsForSpace: waitsForSpace, usesReserve: waitsForSpace)
            let next = try WALFile(blank, first: file.last.next.next)
            try file.close(next: next, synchronised: synchronised)
            synchronised = file.last
            log.note(written: file.last)
            log.note(roomBytes: next.roomBytes)
            log.close(.init(path: file.path, last: file.last, bytes: file.fileBytes))
            file = next
            return true
        } catch WALFileSupply.Failure.full {
            return true
        } catch {
            log.fail("\(error)")
            return false
        }
    }
}

extension CommitEntry {
    /// Its rows, which lie in the batches above the committed count, and its other effects.
    func encode(to buffer: ByteBuffer) {
        for effect in effects { WALItem.encode(effect, to: buffer) }
        for part in parts {
            guard let log = part.log else { continue }
            for view in part.partition.assignedRows(part.start..<part.end) {
                WALItem.encode(
                    view.header, rows: view.rows, of: log, partition: part.partition.number, to: buffer)
            }
        }
        if let late = lateEffect?() { WALItem.encode(late, to: buffer) }
    }
}

extension Partition {
    /// Rows that have their offsets, committed or not.
    func assignedRows(_ range: Range<Int64>) -> [BatchView] {
        state.withLock { state in
            var views: [BatchView] = []
            var position = state.list.position(of: range.lowerBound)
            while position < state.list.count {
                let header = state.list.headers[position].pointee
                guard header.base < range.upperBound else { break }
                let rows =
                    header.firstRow(
                        atOrAbove: range.lowerBound)..<header.firstRow(atOrAbove: range.upperBound)
                if !rows.isEmpty {
                    views.append(
                        BatchView(
                            partition: number, batch: state.list.batches[position], header: header, rows: rows
                        ))
                }
                position += 1
            }
            return views
        }
    }
}
