import HTTP
import StorageEngine

extension Response {
    /// The fields that answers of writes carry: a receipt keeps names as text, a response as constants.
    private static let receiptFields: [StaticString] = [
        "Allow", "Accept", "Accept-Patch", "Cache-Control", "ETag", "Location", "Pyralog-Ack",
        "Pyralog-Revision",
        "Retry-After",
    ]

    /// What a retry is answered with; nil for a body that cannot be kept.
    var receipt: IdempotencyReceipts.Answer? {
        let bytes: [UInt8]
        switch body {
        case .empty: bytes = []
        case .bytes(let content): bytes = content
        case .pinned, .stream: return nil
        }
        return IdempotencyReceipts.Answer(
            status: status, contentType: contentType,
            fields: allFields.map { .init(name: $0.name, value: $0.value) }, body: bytes)
    }

    init(replaying answer: IdempotencyReceipts.Answer) {
        self.init(
            status: answer.status, contentType: answer.contentType,
            fields: answer.fields.compactMap { field in
                Self.receiptFields.first { $0.description == field.name }.map { HeaderField($0, field.value) }
            },
            body: answer.body.isEmpty ? .empty : .bytes(answer.body))
    }
}

extension IdempotencyReceipts.Claim {
    /// What the engine writes beside the effect, so that a retry is answered so also after a crash.
    func receipt<Value>(
        _ response: @escaping @Sendable (Value) throws -> Response
    ) -> @Sendable (Value) -> ReceiptRecord? {
        { value in
            do {
                return try response(value).receipt.flatMap { self.record($0) }
            } catch {
                // The write's own answer will say so; a retry is then decided anew.
                return nil
            }
        }
    }
}
