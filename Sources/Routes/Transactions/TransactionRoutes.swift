import HTTP
import JSON
import Platform
import StorageEngine

/// The handler of transactions.
struct TransactionRoutes: Sendable {
    let services: Services

    func body(_ request: Request) throws -> BodyHandling {
        try request.requireJSONType()
        return .buffered(limit: services.limits.batchBytesMax, what: "a transaction")
    }

    func run(_ request: Request) throws -> Reply {
        let acknowledgement = try QueryReader(request, allowed: ["ack"]).acknowledgement()
        return try Idempotency(services: services).perform(request, body: request.body.bytes) {
            [services] claim in
            guard request.body.count > 0 else { throw Problem(.invalidJSON, "the body is empty") }
            var transaction = try TransactionBody(services: services).read(request.body)
            transaction.acknowledgement = acknowledgement
            transaction.logDefaults = services.createsLogs ? services.logDefaults : nil
            transaction.receipt = claim?.receipt { try .transacted($0) }
            return try services.engine.transact(transaction).writeReply { try .transacted($0) }
        }
    }
}

extension Response {
    static func transacted(_ result: TransactionResult) throws -> Response {
        var json = JSONWriter(capacity: 256 + 96 * result.items.count)
        json.beginObject()
        json.member("committed", result.isCommitted)
        json.member("branch", result.isCommitted ? "then" : "else")
        json.key("results")
        json.beginArray()
        for item in result.items {
            json.beginObject()
            switch item {
            case .missing: json.member("found", false)
            case .found(let record, let epoch):
                guard json.count + record.value.count <= KeyRoutes.answerBytesMax else {
                    // The writes of the branch are done: how they went has to be said, the values need not.
                    json.member("found", true)
                    json.member("value_omitted", true)
                    json.placeMembers(of: record, epoch: epoch)
                    break
                }
                json.member("found", true)
                json.valueMembers(of: record)
                json.placeMembers(of: record, epoch: epoch)
            case .written(let revision): json.placeMembers(of: revision)
            case .incremented(let value, let revision):
                json.member("value", value)
                json.placeMembers(of: revision)
            }
            json.endObject()
        }
        json.endArray()
        json.key("ack")
        json.object { json in
            json.member("requested", result.requested.rawValue)
            json.member("achieved", result.achieved.rawValue)
        }
        json.endObject()
        return .json(json, fields: [HeaderField("Pyralog-Ack", result.achieved.rawValue)])
    }
}
