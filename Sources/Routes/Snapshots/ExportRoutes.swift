import HTTP
import JSON
import ObjectStorage
import Platform
import SQL
import Snapshots

/// The handler that writes a log as a file of another format.
struct ExportRoutes: Sendable {
    let services: Services

    private enum Format: String, CaseIterable { case parquet }

    func export(_ request: Request) throws -> Reply {
        let log = try request.logName()
        _ = try services.existingLog(named: log)
        _ = try QueryReader(request, allowed: [])
        var reader = try ObjectReader(try request.controlBody(whenEmpty: .object([])))
        let location = try reader.string("location")
        _ = try reader.choice("format", Format.self)
        try reader.finish()
        return try services.storeReply(to: request) { [services] in
            let name = "\(log)-\(services.clock.now()).parquet"
            let job = try services.snapshots.export(
                of: log, to: location, named: name, suffix: ".parquet"
            ) { job, put throws(SnapshotFailure) in
                try ParquetExport(services: services, log: log, job: job).run(put)
            }
            return .accepted("/v1/exports/\(job.name)") { JobDocument.write(job, to: &$0) }
        }
    }
}

/// The rows of a log, as a query sees them, in a file of Parquet: written aside first, because a store has to know how long
/// it is, and may have to be sent it twice.
private struct ParquetExport {
    let services: Services
    let log: String
    let job: Job

    private static let bufferBytes = 256 << 10

    func run(_ put: (ObjectSource) throws(SnapshotFailure) -> Void) throws(SnapshotFailure) {
        let (file, length) = try writeAside()
        try put(ObjectSource(length: length) { offset, buffer in try file.read(into: buffer, at: offset) })
    }

    private func writeAside() throws(SnapshotFailure) -> (file: any OpenFile, length: Int) {
        var request = Query.Request("SELECT * FROM \"\(log)\"")
        request.format = .parquet
        request.isUnlimited = true
        let query = services.sql.add(request) { _, _ in }
        defer { query.abandon() }
        let more = WakeUp()
        query.pipe.onMore { more.signal() }
        services.sql.begin(query)
        let file: any OpenFile
        let length: Result<Int, SnapshotFailure>
        do throws(FileFailure) {
            file = try SystemFiles().nameless(in: services.scratchDirectory)
            length = try copy(query, to: file, more)
        } catch {
            throw .source(reason: "the rows could not be written aside: \(error)")
        }
        return (file, try length.get())
    }

    /// - Returns: how much came.
    private func copy(
        _ query: Query, to file: any OpenFile, _ more: WakeUp
    ) throws(FileFailure) -> Result<Int, SnapshotFailure> {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferBytes, alignment: 64)
        defer { buffer.deallocate() }
        var length = 0
        while true {
            let generation = more.generation
            if job.isCancelled { _ = services.sql.cancel(query.identifier, why: "the export was cancelled") }
            switch query.pipe.read(into: buffer) {
            case .bytes(let count):
                try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: length)
                length += count
                job.update { progress in
                    progress.bytes = length
                    progress.records = query.rows
                }
            case .wait: more.wait(since: generation, timeoutNanoseconds: 100_000_000)
            case .end: return .success(length)
            case .failure(let failure):
                return .failure(
                    job.isCancelled ? .cancelled(reason: nil) : .source(reason: Problem(failure).detail))
            }
        }
    }
}
