import ObjectStorage
import StorageEngine

/// Why a snapshot, a restore or a replay cannot be begun, or has ended. There is never a secret in it.
package enum SnapshotFailure: Error, CustomStringConvertible, Sendable {
    /// What was asked for cannot be: the field, and what is wrong with it.
    case invalid(field: String, reason: String)
    case snapshotNotFound(name: String, location: String)
    case logNotFound(log: String)
    /// Too many at once.
    case busy(reason: String)
    /// The object, and what is wrong with it.
    case damaged(object: String, reason: String)
    case store(ObjectStoreFailure)
    case engine(EngineError)
    /// What was to be stored could not be made.
    case source(reason: String)
    case cancelled(reason: String?)
    case stopping

    /// What was stored is not what it was.
    var isDamage: Bool {
        switch self {
        case .damaged: true
        case .store(let failure): failure.kind == .corrupt
        case .invalid, .snapshotNotFound, .logNotFound, .busy, .engine, .source, .cancelled, .stopping: false
        }
    }

    package var description: String {
        switch self {
        case .invalid(let field, let reason): "\(field) \(reason)"
        case .snapshotNotFound(let name, let location): "there is no complete snapshot \(name) at \(location)"
        case .logNotFound(let log): "there is no log \(log)"
        case .busy(let reason): reason
        case .damaged(let object, let reason): "\(object) \(reason)"
        case .store(let failure): failure.description
        case .engine(let error): "the engine refuses: \(error)"
        case .source(let reason): reason
        case .cancelled(let reason): reason.map { "it was ended: \($0)" } ?? "it was cancelled"
        case .stopping: "the server is stopping"
        }
    }
}
