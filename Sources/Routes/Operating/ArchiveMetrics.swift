import Metrics
import StorageEngine

/// What archives have taken and given, on servers that have a data directory.
enum ArchiveMetrics {
    static func register(_ engine: Engine, in registry: MetricsRegistry) {
        let figures = engine.archiveFigures
        func collect(
            _ name: String, _ help: String, _ kind: MetricsRegistry.Kind,
            _ figure: @escaping @Sendable (ArchiveFigures) -> Int
        ) {
            registry.collect(name, help: help, kind: kind) { [.init([], Double(figure(figures)))] }
        }
        collect("pyralog_archive_uploads_total", "Objects put into archives and verified.", .counter) {
            $0.uploads
        }
        collect("pyralog_archive_uploaded_bytes_total", "Their bytes.", .counter) { $0.uploadedBytes }
        collect(
            "pyralog_archive_upload_failures_total", "Objects that were refused; each is tried again.",
            .counter
        ) {
            $0.uploadFailures
        }
        collect("pyralog_archive_fetches_total", "Batches read from archives.", .counter) { $0.fetches }
        collect("pyralog_archive_fetched_bytes_total", "Their bytes.", .counter) { $0.fetchedBytes }
        collect(
            "pyralog_archive_fetch_failures_total", "Batches that did not come, or came wrong.", .counter
        ) { $0.fetchFailures }
        collect("pyralog_archive_deletes_total", "Objects deleted.", .counter) { $0.deletedObjects }
        collect(
            "pyralog_archive_delete_failures_total",
            "Objects that could not be deleted; each is tried again.",
            .counter
        ) { $0.deleteFailures }
        collect("pyralog_archive_cache_bytes", "Fetched batches that are kept.", .gauge) { $0.cacheBytes }
    }
}
