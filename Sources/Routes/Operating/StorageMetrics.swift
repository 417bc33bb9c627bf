import Metrics
import StorageEngine

/// The disk as metrics, on servers that have a data directory.
struct StorageMetrics {
    private let engine: Engine
    private let registry: MetricsRegistry

    static func register(_ engine: Engine, in registry: MetricsRegistry) {
        guard engine.storageFigures != nil else { return }
        let metrics = StorageMetrics(engine: engine, registry: registry)
        metrics.registerLog()
        metrics.registerFiles()
        ArchiveMetrics.register(engine, in: registry)
    }

    private func collect(
        _ name: String, _ help: String, _ kind: MetricsRegistry.Kind,
        _ figure: @escaping @Sendable (StorageFigures) -> Double
    ) {
        registry.collect(name, help: help, kind: kind) { [engine] in
            engine.storageFigures.map { [.init([], figure($0))] } ?? []
        }
    }

    private func registerLog() {
        collect("pyralog_wal_written_bytes_total", "Bytes written to the write-ahead log.", .counter) {
            Double($0.writtenBytes)
        }
        collect("pyralog_wal_frames_total", "Frames written: groups of entries.", .counter) {
            Double($0.frames)
        }
        collect("pyralog_wal_entries_total", "Entries that were decided.", .counter) { Double($0.entries) }
        collect("pyralog_wal_synchronisations_total", "Calls of fdatasync that succeeded.", .counter) {
            Double($0.synchronisations)
        }
        collect("pyralog_wal_synchronisation_seconds_total", "Time spent in them.", .counter) {
            $0.synchronisationSeconds
        }
        collect(
            "pyralog_wal_closed_bytes", "Files of the write-ahead log that wait for a checkpoint.", .gauge
        ) { Double($0.closedBytes) }
        collect("pyralog_wal_full", "1 while there is no room for another file of it.", .gauge) {
            $0.isFull ? 1 : 0
        }
        collect("pyralog_wal_failed", "1 once it has failed: logs on disk are read-only.", .gauge) {
            $0.isFailed ? 1 : 0
        }
    }

    private func registerFiles() {
        collect("pyralog_checkpoints_total", "Checkpoints written.", .counter) { Double($0.checkpoints) }
        collect("pyralog_checkpoint_failures_total", "Checkpoints that failed and are tried again.", .counter)
        {
            Double($0.failedCheckpoints)
        }
        collect("pyralog_checkpoint_seconds_total", "Time spent on them.", .counter) { $0.checkpointSeconds }
        collect("pyralog_checkpoint_written_bytes_total", "Bytes of segments written.", .counter) {
            Double($0.checkpointBytes)
        }
        collect("pyralog_segments", "Segment files.", .gauge) { Double($0.segments) }
        collect("pyralog_segment_bytes", "Their bytes.", .gauge) { Double($0.segmentBytes) }
        collect("pyralog_segment_live_bytes", "Of them, what the checkpoint refers to.", .gauge) {
            Double($0.liveSegmentBytes)
        }
        collect(
            "pyralog_key_index_disk_bytes",
            "Files of keys whose records have left memory; they have no names.",
            .gauge
        ) { Double($0.keyIndexBytes) }
    }
}
