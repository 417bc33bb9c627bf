extension Pyralog {
    /// Why something was refused. Nothing was applied.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public enum Code: String, Sendable {
            case invalidArgument, notFound, alreadyExists, memoryFull, notAnInteger, integerOverflow, other
        }

        public let code: Code
        /// Names the subject, the limit and what was found.
        public let description: String

        init(_ code: Code, _ description: String) {
            self.code = code
            self.description = description
        }

        init(_ error: EngineError) {
            switch error {
            case .logNotFound(let log): self.init(.notFound, "there is no log \(log)")
            case .logDeleted: self.init(.notFound, "the log was deleted")
            case .keyNotFound: self.init(.notFound, "there is no such key")
            case .logExists(let log, let differences):
                self.init(
                    .alreadyExists, "log \(log) exists and differs in \(differences.joined(separator: ", "))")
            case .invalidConfiguration(let field, let reason):
                self.init(.invalidArgument, "\(field) \(reason)")
            case .partitionOutOfRange(let partition, let partitions):
                self.init(
                    .invalidArgument,
                    "partition \(partition) does not exist; the log has 0 to \(partitions - 1)")
            case .memoryFull(let budget, let limit, let used, let needed):
                self.init(
                    .memoryFull,
                    "\(used) of \(limit) bytes of \(budget) are used, and \(needed) more were needed")
            case .memoryHeld(let bytes, let limit):
                self.init(.memoryFull, "\(bytes) of \(limit) bytes are held by records that are in use")
            case .notAnInteger: self.init(.notAnInteger, "the value is not a decimal integer of 64 bits")
            case .integerOverflow: self.init(.integerOverflow, "the sum does not fit into 64 bits")
            case .transactionFailed(let index, let cause):
                let reason = Failure(cause)
                self.init(reason.code, "operation \(index) cannot be done: \(reason.description)")
            case .notImplemented, .offsetOutOfRange, .offsetTrimmed, .preconditionFailed, .offsetMismatch,
                .epochChanged, .recordTooLarge, .acknowledgementUnavailable, .producerFenced, .producerGap,
                .logReadOnly, .outcomeUnknown, .diskFull, .commitLogBehind, .transitionRunning, .shuttingDown,
                .archived, .archiveUnavailable, .archiveDamaged:
                self.init(.other, "\(error)")
            }
        }

        static func translating<Value>(_ body: () throws(EngineError) -> Value) throws(Failure) -> Value {
            do throws(EngineError) { return try body() } catch { throw Failure(error) }
        }

        static func check(value: [UInt8]) throws(Failure) {
            let bytesMax = 1 << 30
            guard value.count <= bytesMax else {
                throw Failure(.invalidArgument, "a value has at most \(bytesMax) bytes, not \(value.count)")
            }
        }

        static func check(key: String) throws(Failure) {
            guard (1...1024).contains(key.utf8.count) else {
                throw Failure(.invalidArgument, "a key has 1 to 1024 bytes, not \(key.utf8.count)")
            }
        }
    }
}
