import ObjectStorage
import Platform
import StorageEngine

/// An object store as the engine's archive sees it.
package struct ArchiveObjects: ArchiveStore {
    private let objects: any ObjectStore

    package init(_ objects: any ObjectStore) { self.objects = objects }

    package var location: String { objects.location }

    package func put(_ key: String, _ bytes: ByteBuffer) throws(ArchiveFailure) {
        let source = ObjectSource(length: bytes.count) { offset, target in
            target.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes.bytes[offset..<offset + target.count]))
        }
        do throws(ObjectStoreFailure) { try objects.put(key, source) } catch { throw Self.failure(error) }
    }

    package func get(_ key: String, _ range: Range<Int>) throws(ArchiveFailure) -> ByteBuffer {
        let bytes = ByteBuffer(capacity: min(range.count, 8 << 20))
        do throws(ObjectStoreFailure) {
            try objects.get(key, range: range) { bytes.append($0) }
        } catch {
            throw Self.failure(error)
        }
        return bytes
    }

    package func list(_ prefix: String) throws(ArchiveFailure) -> [String] {
        var keys: [String] = []
        do throws(ObjectStoreFailure) {
            try objects.list(prefix: prefix) { page in keys += page.map(\.key) }
        } catch {
            throw Self.failure(error)
        }
        return keys
    }

    package func delete(_ key: String) throws(ArchiveFailure) {
        do throws(ObjectStoreFailure) { try objects.delete(key) } catch { throw Self.failure(error) }
    }

    private static func failure(_ failure: ObjectStoreFailure) -> ArchiveFailure {
        ArchiveFailure(failure.description, isMissing: failure.kind == .notFound || failure.kind == .corrupt)
    }
}
