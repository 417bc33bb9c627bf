import HTTP
import StorageEngine

/// The conditional fields of a request, evaluated in the order of RFC 9110, section 13.2.2.
struct Preconditions {
    private let match: EntityTags?
    private let noneMatch: EntityTags?
    /// Unix seconds. Dates that cannot be read are ignored, as the RFC demands.
    private let unmodifiedSince: Int64?
    private let modifiedSince: Int64?

    /// Nil without any, which is the common case.
    init?(_ request: Request) throws(Problem) {
        guard request.isConditional else { return nil }
        let match = try EntityTags(request, "If-Match")
        let noneMatch = try EntityTags(request, "If-None-Match")
        let unmodifiedSince =
            match == nil ? request.field("If-Unmodified-Since").flatMap(HTTPDate.parse) : nil
        let modifiedSince =
            noneMatch == nil && request.isRead
            ? request.field("If-Modified-Since").flatMap(HTTPDate.parse) : nil
        if match == nil, noneMatch == nil, unmodifiedSince == nil, modifiedSince == nil { return nil }
        self.match = match
        self.noneMatch = noneMatch
        self.unmodifiedSince = unmodifiedSince
        self.modifiedSince = modifiedSince
    }

    enum Verdict: Equatable {
        case proceed
        case notModified
        case failed
    }

    /// For a read of the record that there is.
    func verdict(revision: Revision, modifiedAt seconds: Int64) -> Verdict {
        switch match {
        case .any: break
        case .list: if match?.strongRevisions.contains(revision) != true { return .failed }
        case nil: if let unmodifiedSince, seconds > unmodifiedSince { return .failed }
        }
        switch noneMatch {
        case .any: return .notModified
        case .list: return noneMatch?.weakRevisions.contains(revision) == true ? .notModified : .proceed
        case nil:
            guard let modifiedSince else { return .proceed }
            return seconds <= modifiedSince ? .notModified : .proceed
        }
    }

    /// For a write, decided by the engine under its lock.
    ///
    /// - Parameter current: the record as it is now, asked for only where a date must be compared.
    /// - Throws: `precondition_failed`; `invalid_argument` for the one combination that cannot be decided in one step.
    func condition(_ current: () throws -> (revision: Revision, modifiedAt: Int64)?) throws -> Condition {
        switch (match, noneMatch) {
        case (nil, nil): return try unmodifiedCondition(current)
        case (.any, nil): return .exists
        case (.list, nil): return .matchesAny(match?.strongRevisions ?? [])
        case (nil, .any):
            _ = try unmodifiedCondition(current)
            return .isAbsent
        case (nil, .list):
            _ = try unmodifiedCondition(current)
            return .matchesNone(noneMatch?.weakRevisions ?? [])
        case (_, .any): return .matchesAny([])
        case (.list, .list):
            let excluded = noneMatch?.weakRevisions ?? []
            return .matchesAny((match?.strongRevisions ?? []).filter { !excluded.contains($0) })
        case (.any, .list):
            throw Problem.invalidArgument("If-Match", "* cannot be combined with a list in If-None-Match")
        }
    }

    /// A date is compared with the record that there is now; the write then insists on that very revision.
    private func unmodifiedCondition(
        _ current: () throws -> (revision: Revision, modifiedAt: Int64)?
    ) throws -> Condition {
        guard let unmodifiedSince, let record = try current() else { return .none }
        guard record.modifiedAt <= unmodifiedSince else {
            throw EngineError.preconditionFailed(current: record.revision)
        }
        return .matchesAny([record.revision])
    }
}
