import Platform

/// Answers of writing requests kept for ten minutes under their `Idempotency-Key`, so that a retry is answered, not repeated.
package final class IdempotencyReceipts: Sendable {
    package static let lifetimeMilliseconds: Int64 = 600_000
    /// A larger answer is not kept (its key then protects only concurrent twins).
    package static let answerBytesMax = 1024

    package struct Answer: Sendable, Equatable {
        package let status: Int
        package let contentType: String?
        package let fields: [Field]
        package let body: [UInt8]
        package struct Field: Sendable, Equatable {
            package let name: String
            package let value: String
            package init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }
        package init(status: Int, contentType: String?, fields: [Field], body: [UInt8]) {
            self.status = status
            self.contentType = contentType
            self.fields = fields
            self.body = body
        }
    }

    package enum Beginning: Sendable {
        /// Do the work, then call `finish` or `abandon` on the ticket, on every path.
        case first(Claim)
        case replay(Answer)
        /// A twin runs; `whenDecided` was stored and will be called once: begin again then.
        case running
        case mismatch
        /// The budget for receipts is used up: 503.
        case full
    }

    package final class Claim: Sendable {
        /// Keeps the answer for later twins.
        package func finish(_ answer: Answer) { fatalError("skeleton") }
        /// Forgets the key: the request may be tried again.
        package func abandon() { fatalError("skeleton") }
        init() { fatalError("skeleton") }
    }

    /// - Parameters:
    ///   - scope: everything that the key is unique within, and the key: method, path, token, key.
    ///   - bodyDigest: of the body; another one under the same scope is a mismatch.
    package func begin(
        scope: [UInt8], bodyDigest: [UInt8], whenDecided: @escaping @Sendable () -> Void
    ) -> Beginning { fatalError("skeleton") }

    init() { fatalError("skeleton") }
}
