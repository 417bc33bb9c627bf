import JSON
import ObjectStorage
import Snapshots

extension Problem {
    init(_ failure: SnapshotFailure) {
        switch failure {
        case .invalid(let field, let reason): self = .invalidArgument(field, reason)
        case .snapshotNotFound: self.init(.snapshotNotFound, failure.description)
        case .logNotFound(let log):
            self.init(.logNotFound, "there is no log \(Problem.quoted(log)) to choose")
        case .busy(let reason): self = .overloaded(reason)
        case .damaged: self.init(.snapshotDamaged, failure.description)
        case .store(let failure): self.init(failure)
        case .engine(let error): self.init(error)
        case .source: self.init(.storeRefused, failure.description)
        case .cancelled: self.init(.jobCancelled, failure.description)
        case .stopping: self = .shuttingDown
        }
    }

    private init(_ failure: ObjectStoreFailure) {
        switch failure.kind {
        case .invalid: self = .invalidArgument("location", failure.description)
        case .unavailable, .cancelled:
            // Jobs say themselves that they were cancelled; this was a request that could wait no longer.
            self.init(.storeUnavailable, failure.description)
            retryAfterSeconds = 5
        case .corrupt, .notFound: self.init(.snapshotDamaged, failure.description)
        case .denied, .refused, .files, .source, .receiver: self.init(.storeRefused, failure.description)
        }
    }
}
