import HTTP
import JSON
import Platform
import StorageEngine

extension KeyRoutes {
    func patchBody(_ request: Request) throws -> BodyHandling {
        _ = try key(request)
        try request.requirePatchType()
        return .buffered(limit: services.limits.batchBytesMax, what: "a merge patch")
    }

    func patch(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        let key = try key(request)
        let acknowledgement = try QueryReader(request, allowed: ["ack"]).acknowledgement()
        let patching = KeyPatch(
            services: services, log: log, key: key, patch: request.body, acknowledgement: acknowledgement,
            preconditions: try Preconditions(request))
        do {
            return try patching.attempt(archived: .refused).reply(to: request)
        } catch EngineError.archived {
            return patching.attemptOnWorker().reply(to: request)
        }
    }
}

/// A merge patch of a key's value: read, merge, and put if the revision is still the one that was read.
struct KeyPatch: Sendable {
    let services: Services
    let log: Log
    let key: [UInt8]
    let patch: ByteBuffer
    let acknowledgement: Acknowledgement?
    let preconditions: Preconditions?

    /// Each attempt that fails means that another writer succeeded.
    private static let attemptsMax = 100

    /// - Throws: `keyNotFound`, `preconditionFailed`; `overloaded` when other writers always come first.
    func attempt(_ number: Int = 1, archived: ArchivedValues) throws -> WriteReply {
        var number = number
        while true {
            guard number <= Self.attemptsMax else {
                throw Problem.overloaded("other writers changed the key \(Self.attemptsMax) times meanwhile")
            }
            do {
                return try attemptOnce(number, archived)
            } catch EngineError.preconditionFailed(_) where preconditions == nil {
                number += 1
            }
        }
    }

    /// Where it may wait for the key's value to come from the archive.
    func attemptOnWorker(_ number: Int = 1) -> WriteReply {
        .later { decided in
            do {
                try services.storeWorkers.run { goOn(number, .fetched, decided) }
            } catch {
                decided(.failure(error))
            }
        }
    }

    private func goOn(_ number: Int, _ archived: ArchivedValues, _ decided: @escaping WriteReply.Decided) {
        do {
            switch try attempt(number, archived: archived) {
            case .now(let response): decided(.success(response))
            case .later(let whenDecided): whenDecided(decided)
            }
        } catch EngineError.archived {
            if case .later(let whenDecided) = attemptOnWorker(number) { whenDecided(decided) }
        } catch {
            decided(.failure(error))
        }
    }

    private func attemptOnce(_ number: Int, _ archived: ArchivedValues) throws -> WriteReply {
        guard let record = try log.get(key: key.span.bytes, archived: archived) else {
            throw log.isDeleted ? EngineError.logDeleted : EngineError.keyNotFound
        }
        let revision = record.revision(in: log)
        if let preconditions,
            preconditions.verdict(revision: revision, modifiedAt: record.modifiedAtSeconds) != .proceed
        {
            throw EngineError.preconditionFailed(current: revision)
        }
        let merged = try merge(record)
        switch try log.put(key: key.span.bytes, value: merged.span.bytes, options(record, revision)) {
        case .done(let result): return .now(.written(result, status: 200))
        case .pending(let ticket): return .later { decided in finish(ticket, number, decided) }
        }
    }

    /// A conflict that shows only when the commit log is done with the write before this one.
    private func finish(_ ticket: Ticket<PutResult>, _ number: Int, _ decided: @escaping WriteReply.Decided) {
        ticket.whenComplete { result in
            switch result {
            case .success(let result): decided(.success(.written(result, status: 200)))
            case .failure(.preconditionFailed) where preconditions == nil:
                goOn(number + 1, .refused, decided)
            case .failure(let error): decided(.failure(error))
            }
        }
    }

    private func options(_ record: Record, _ revision: Revision) -> PutOptions {
        var options = PutOptions()
        options.type = record.type
        options.extras = record.hasExtras ? record.extras.encoded() : []
        options.priority = record.priority
        options.expiry = .keep
        options.condition = .matchesAny([revision])
        options.acknowledgement = acknowledgement
        return options
    }

    private func merge(_ record: Record) throws -> [UInt8] {
        guard isJSON(record) else { throw Self.notJSON(record.contentType ?? "gone") }
        let merged: [UInt8]
        do throws(RecordFailure) {
            merged = try services.parsers.withParser { parser throws(RecordFailure) in
                try MergePatch.apply(target: record.value, patch: patch.bytes, using: parser)
            }
        } catch {
            throw error.item == 0 ? Self.notJSON("not JSON") : Problem(error)
        }
        guard merged.count <= services.limits.valueBytesMax else {
            throw Problem.tooLarge("the merged value", limit: services.limits.valueBytesMax)
        }
        return merged
    }

    private func isJSON(_ record: Record) -> Bool {
        record.type == .json || record.contentType.flatMap { MediaType(parsing: $0) }?.isJSON == true
    }

    private static func notJSON(_ type: String) -> Problem {
        Problem(
            .invalidArgument, "the key's value is \(type), which has no members to patch; PUT replaces it"
        )
        .with { $0.status = 409 }
    }
}
