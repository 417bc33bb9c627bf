import Platform

/// Answers of writing requests kept for ten minutes under their `Idempotency-Key`, so that a retry is answered, not repeated.
package final class IdempotencyReceipts: Sendable {
    package static let lifetimeMilliseconds: Int64 = 600_000
    /// A larger answer is not kept (its key then protects only concurrent twins).
    package static let answerBytesMax = 1024
    /// Of keys and answers together, about.
    package static let budgetBytes = 64 << 20

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
        /// Do the work, then call `finish` or `abandon` on the claim, on every path.
        case first(Claim)
        case replay(Answer)
        /// A twin runs; `whenDecided` was stored and will be called once: begin again then.
        case running
        case mismatch
        /// The budget for receipts is used up: 503.
        case full
    }

    /// The right, and the duty, to answer for a key.
    package final class Claim: Sendable {
        private let receipts: IdempotencyReceipts
        private let scope: [UInt8]
        private let digest: [UInt8]
        private let expiresAt: Int64

        fileprivate init(
            receipts: IdempotencyReceipts, scope: [UInt8], digest: [UInt8], expiresAt: Int64
        ) {
            self.receipts = receipts
            self.scope = scope
            self.digest = digest
            self.expiresAt = expiresAt
        }

        /// For the commit log; nil for an answer that is not kept.
        package func record(_ answer: Answer) -> ReceiptRecord? {
            guard answer.body.count <= IdempotencyReceipts.answerBytesMax else { return nil }
            receipts.noteDurable(scope, answer)
            return ReceiptRecord(scope: scope, digest: digest, expiresAt: expiresAt, answer: answer)
        }

        /// Keeps the answer for later twins.
        package func finish(_ answer: Answer) {
            receipts.decide(scope, answer.body.count <= IdempotencyReceipts.answerBytesMax ? answer : nil)
        }

        /// Forgets the key: the request may be tried again.
        package func abandon() { receipts.decide(scope, nil) }
    }

    fileprivate struct Receipt {
        let digest: [UInt8]
        var expiresAt: Int64
        var answer: Answer?
        /// As it is written to disk with its effect.
        var durableAnswer: Answer?
        var twins: [@Sendable () -> Void] = []
    }

    fileprivate struct State {
        var receipts: [[UInt8]: Receipt] = [:]
        /// Oldest first: all live equally long.
        var order: [(expiresAt: Int64, scope: [UInt8])] = []
        var orderStart = 0
        let account: MemoryAccount?
        var bytes = 0 { didSet { account?.charge(.buffers, bytes - oldValue) } }
    }

    private let clock: Clock
    private let budgetBytes: Int
    private let state: Lock<State>

    package init(
        clock: Clock, account: MemoryAccount? = nil, budgetBytes: Int = IdempotencyReceipts.budgetBytes
    ) {
        state = Lock(State(account: account))
        self.clock = clock
        self.budgetBytes = budgetBytes
    }

    /// - Parameters:
    ///   - scope: everything that the key is unique within, and the key: method, path, token, key.
    ///   - bodyDigest: of the body; another one under the same scope is a mismatch.
    package func begin(
        scope: [UInt8], bodyDigest: [UInt8], whenDecided: @escaping @Sendable () -> Void
    ) -> Beginning {
        let now = clock.now()
        return state.withLock { state in
            state.forgetExpired(now: now)
            if let receipt = state.receipts[scope] {
                if receipt.digest != bodyDigest { return .mismatch }
                if let answer = receipt.answer { return .replay(answer) }
                state.receipts[scope]?.twins.append(whenDecided)
                return .running
            }
            if state.bytes >= budgetBytes { return .full }
            let expiresAt = now + Self.lifetimeMilliseconds
            state.receipts[scope] = Receipt(digest: bodyDigest, expiresAt: expiresAt)
            state.order.append((expiresAt, scope))
            state.bytes += State.cost(scope, nil)
            return .first(
                Claim(receipts: self, scope: scope, digest: bodyDigest, expiresAt: expiresAt))
        }
    }

    /// An answer of an earlier run of the server.
    func restore(_ record: ReceiptRecord) {
        let now = clock.now()
        state.withLock { state in
            guard record.expiresAt > now, state.receipts[record.scope] == nil, state.bytes < budgetBytes
            else {
                return
            }
            let expiresAt = min(record.expiresAt, now + Self.lifetimeMilliseconds)
            state.receipts[record.scope] = Receipt(
                digest: record.digest, expiresAt: expiresAt, answer: record.answer,
                durableAnswer: record.answer)
            state.order.append((expiresAt, record.scope))
            state.bytes += State.cost(record.scope, record.answer)
        }
    }

    private func noteDurable(_ scope: [UInt8], _ answer: Answer) {
        state.withLock { $0.receipts[scope]?.durableAnswer = answer }
    }

    /// The answers that a checkpoint keeps: those whose effect is on disk as well.
    var kept: [ReceiptRecord] {
        state.withLock { state in
            state.receipts.compactMap { scope, receipt in
                receipt.durableAnswer.map { answer in
                    ReceiptRecord(
                        scope: scope, digest: receipt.digest, expiresAt: receipt.expiresAt, answer: answer)
                }
            }
        }
    }

    /// Answers that are kept; requests that run go on.
    package func forgetAll() {
        state.withLock { state in
            for (scope, receipt) in state.receipts {
                guard let answer = receipt.answer else { continue }
                state.receipts[scope] = nil
                state.bytes -= State.cost(scope, answer)
            }
            // The clock may have been set back: those that run live on from now.
            let expiresAt = clock.now() + Self.lifetimeMilliseconds
            state.order = state.receipts.keys.map { (expiresAt, $0) }
            state.orderStart = 0
            for scope in state.receipts.keys { state.receipts[scope]?.expiresAt = expiresAt }
        }
    }

    private func decide(_ scope: [UInt8], _ answer: Answer?) {
        let twins = state.withLock { state -> [@Sendable () -> Void] in
            guard var receipt = state.receipts[scope], receipt.answer == nil else { return [] }
            let twins = receipt.twins
            receipt.twins = []
            receipt.answer = answer
            if let answer {
                state.receipts[scope] = receipt
                state.bytes += answer.body.count
            } else {
                state.receipts[scope] = nil
                state.bytes -= State.cost(scope, nil)
            }
            return twins
        }
        for twin in twins { twin() }
    }
}

extension IdempotencyReceipts.State {
    fileprivate static func cost(_ scope: [UInt8], _ answer: IdempotencyReceipts.Answer?) -> Int {
        256 + 2 * scope.count + (answer?.body.count ?? 0)
    }

    /// - Complexity: amortised O(1).
    fileprivate mutating func forgetExpired(now: Int64) {
        let latest = now + IdempotencyReceipts.lifetimeMilliseconds
        if let last = order.last, last.expiresAt > latest { bringForward(to: latest) }
        while orderStart < order.count, order[orderStart].expiresAt <= now {
            let (expiresAt, scope) = order[orderStart]
            orderStart += 1
            // A key that was abandoned and begun again has a later receipt; one still running is kept.
            guard let receipt = receipts[scope], receipt.expiresAt == expiresAt, let answer = receipt.answer
            else { continue }
            receipts[scope] = nil
            bytes -= Self.cost(scope, answer)
        }
        if orderStart > 1024, orderStart > order.count / 2 {
            order.removeFirst(orderStart)
            orderStart = 0
        }
    }

    /// The clock was set back: none lives longer from now than one that is made now, or they would fill the budget.
    private mutating func bringForward(to latest: Int64) {
        order.removeFirst(orderStart)
        orderStart = 0
        for index in order.indices where order[index].expiresAt > latest {
            let (expiresAt, scope) = order[index]
            order[index].expiresAt = latest
            if receipts[scope]?.expiresAt == expiresAt { receipts[scope]?.expiresAt = latest }
        }
    }
}
