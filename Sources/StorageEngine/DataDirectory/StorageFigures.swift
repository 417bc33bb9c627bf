/// What the disk under an engine has done since the start, and how it is.
package struct StorageFigures: Sendable {
    /// Of the write-ahead log.
    package let writtenBytes: Int
    package let frames: Int
    package let entries: Int
    package let synchronisations: Int
    package let synchronisationSeconds: Double
    /// Of its files that a checkpoint could make unnecessary.
    package let closedBytes: Int
    /// No room for another file of it: writes that need the disk are refused.
    package let isFull: Bool
    /// It failed: logs on disk take no more writes.
    package let isFailed: Bool
    package let checkpoints: Int
    package let failedCheckpoints: Int
    package let checkpointSeconds: Double
    package let checkpointBytes: Int
    package let segments: Int
    package let segmentBytes: Int
    /// Of segments, what the checkpoint refers to.
    package let liveSegmentBytes: Int
    /// Of the files that keys lie in whose rows have left memory.
    package let keyIndexBytes: Int
}

extension Engine {
    /// Nil without a data directory.
    package var storageFigures: StorageFigures? {
        guard let storage = services.storage else { return nil }
        let wal = storage.wal
        let checkpoints = storage.checkpointFigures
        return StorageFigures(
            writtenBytes: wal.figures.writtenBytes, frames: wal.figures.frameCount,
            entries: wal.figures.entryCount, synchronisations: wal.figures.synchronisationCount,
            synchronisationSeconds: wal.figures.synchronisationSeconds, closedBytes: wal.closedBytes,
            isFull: wal.supply.isFull, isFailed: wal.failure != nil,
            checkpoints: checkpoints?.count ?? 0, failedCheckpoints: checkpoints?.failureCount ?? 0,
            checkpointSeconds: checkpoints?.seconds ?? 0, checkpointBytes: checkpoints?.writtenBytes ?? 0,
            segments: checkpoints?.segmentCount ?? 0, segmentBytes: checkpoints?.segmentBytes ?? 0,
            liveSegmentBytes: checkpoints?.liveBytes ?? 0,
            keyIndexBytes: storage.directory.keyPages.fileBytes)
    }
}
