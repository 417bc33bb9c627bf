import Synchronization

/// What the archive has done since the start.
package final class ArchiveFigures: Sendable {
    private let uploaded = Atomic<Int>(0)
    private let uploadedSum = Atomic<Int>(0)
    private let uploadsFailed = Atomic<Int>(0)
    private let fetched = Atomic<Int>(0)
    private let fetchedSum = Atomic<Int>(0)
    private let fetchesFailed = Atomic<Int>(0)
    private let deleted = Atomic<Int>(0)
    private let deletesFailed = Atomic<Int>(0)
    private let cached = Atomic<Int>(0)

    func noteUpload(bytes: Int) {
        uploaded.wrappingAdd(1, ordering: .relaxed)
        uploadedSum.wrappingAdd(bytes, ordering: .relaxed)
    }
    func noteUploadFailure() { uploadsFailed.wrappingAdd(1, ordering: .relaxed) }
    func noteFetch(bytes: Int) {
        fetched.wrappingAdd(1, ordering: .relaxed)
        fetchedSum.wrappingAdd(bytes, ordering: .relaxed)
    }
    func noteFetchFailure() { fetchesFailed.wrappingAdd(1, ordering: .relaxed) }
    func noteDeleted() { deleted.wrappingAdd(1, ordering: .relaxed) }
    func noteDeleteFailure() { deletesFailed.wrappingAdd(1, ordering: .relaxed) }
    func setCached(bytes: Int) { cached.store(bytes, ordering: .relaxed) }

    /// Objects that were put there and verified.
    package var uploads: Int { uploaded.load(ordering: .relaxed) }
    package var uploadedBytes: Int { uploadedSum.load(ordering: .relaxed) }
    package var uploadFailures: Int { uploadsFailed.load(ordering: .relaxed) }
    package var fetches: Int { fetched.load(ordering: .relaxed) }
    package var fetchedBytes: Int { fetchedSum.load(ordering: .relaxed) }
    /// Bytes with a wrong checksum among them.
    package var fetchFailures: Int { fetchesFailed.load(ordering: .relaxed) }
    package var deletedObjects: Int { deleted.load(ordering: .relaxed) }
    package var deleteFailures: Int { deletesFailed.load(ordering: .relaxed) }
    /// What is kept of what was fetched.
    package var cacheBytes: Int { cached.load(ordering: .relaxed) }
}
