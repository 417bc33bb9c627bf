/// Conditions, and operations for either outcome: all of one branch happens at one instant, or nothing.
package struct Transaction: Sendable {
    /// What a key must be for `then` to be done.
    package struct Requirement: Sendable {
        package enum Test: Sendable {
            case exists(Bool)
            /// Nil: a revision that no key can have.
            case revision(Revision?)
            /// Of a live key's value and type. Called under locks: it must be short and call nothing of the engine.
            case value(@Sendable (UnsafeRawBufferPointer, RecordType) -> Bool)

            var needsValue: Bool { if case .value = self { true } else { false } }
        }
        package let log: String
        package let key: [UInt8]
        package let test: Test

        package init(log: String, key: [UInt8], test: Test) {
            self.log = log
            self.key = key
            self.test = test
        }
    }

    package struct Put: Sendable {
        package var key: [UInt8]
        package var value: [UInt8]
        package var options = PutOptions()
        package init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    package struct Append: Sendable {
        package var key: [UInt8]?
        package var value: [UInt8]
        package var type = RecordType.json
        package var extras: [UInt8] = []
        package var expiry = Expiry.logDefault
        package var priority: UInt8 = 0
        /// Unix milliseconds; nil: the time of arrival.
        package var timestamp: Int64?
        /// Without a key only; nil: round robin.
        package var partition: Int?
        package init(key: [UInt8]?, value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    package enum Action: Sendable {
        case get(key: [UInt8])
        case put(Put)
        case delete(key: [UInt8])
        case increment(key: [UInt8], IncrementOptions)
        case append(Append)
    }

    package struct Operation: Sendable {
        package let log: String
        package let action: Action
        package init(log: String, _ action: Action) {
            self.log = log
            self.action = action
        }
    }

    package static let operationsMax = 1000

    package var requirements: [Requirement] = []
    package var then: [Operation] = []
    package var otherwise: [Operation] = []
    package var acknowledgement: Acknowledgement?
    /// What becomes durable together with its writes.
    package var receipt: (@Sendable (TransactionResult) -> ReceiptRecord?)?
    /// What a log gets that a put or an append creates; nil: none is created.
    package var logDefaults: LogConfiguration? = LogConfiguration()
    package init() {}
}

package struct TransactionResult: Sendable {
    package enum Item: Sendable {
        case found(Record, epoch: Epoch)
        case missing
        case written(Revision)
        case incremented(value: Int64, Revision)
    }
    /// Whether the requirements held and `then` was done; else `otherwise` was.
    package let isCommitted: Bool
    /// One for each operation of the branch.
    package let items: [Item]
    package let requested: Acknowledgement
    package let achieved: Acknowledgement
}
