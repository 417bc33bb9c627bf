import Platform

extension Pyralog {
    /// A log of an embedded Pyralog. Valid for as long as anybody holds it, though of no use once it is deleted.
    public struct Log: Sendable {
        let log: StorageEngine.Log

        init(_ log: StorageEngine.Log) {
            self.log = log
        }

        public var name: String { log.name }
        /// Live keys.
        public var keyCount: Int { log.keyCount }

        // MARK: Records

        /// Appends one record. - Returns: its place.
        /// - Throws: `memoryFull`.
        @discardableResult
        public func append(_ value: [UInt8], key: String? = nil) throws(Failure) -> Place {
            if let key { try Failure.check(key: key) }
            try Failure.check(value: value)
            let source = ByteBuffer(capacity: value.count + (key?.utf8.count ?? 0))
            source.append(value)
            if let key { source.append(Array(key.utf8)) }
            var draft = Draft(source: source)
            draft.values = [Draft.Slice(source: 0, count: UInt32(value.count))]
            if let key {
                draft.keys = [Draft.Slice(source: UInt32(value.count), count: UInt32(key.utf8.count))]
            }
            draft.types = [.octetStream]
            let filled = draft
            let result = try Failure.translating { () throws(EngineError) in
                try log.append(filled, AppendOptions()).inMemory()
            }
            guard let range = result.ranges.first else { return Place(partition: 0, offset: 0) }
            return Place(partition: range.partition, offset: range.start.rawValue)
        }

        /// The same for text.
        @discardableResult
        public func append(_ text: String, key: String? = nil) throws(Failure) -> Place {
            try append(Array(text.utf8), key: key)
        }

        /// Up to `limit` records of a partition from `offset` on, what is gone left out.
        /// - Throws: `invalidArgument` for a partition that the log does not have.
        public func read(from offset: Int64 = 0, limit: Int = 1000, partition: Int = 0) throws(Failure)
            -> [Record]
        {
            let result = try Failure.translating { () throws(EngineError) in
                try log.read(
                    partition: partition, from: .offset(Offset(max(0, offset))), limit: max(0, limit),
                    maxBytes: Int.max, clamps: true)
            }
            return result.records.map { Record($0) }
        }

        // MARK: Keys

        /// Puts a value in the place of the key's last one.
        /// - Parameter timeToLive: nil: the log's. - Throws: `memoryFull`, `invalidArgument` for an empty key.
        @discardableResult
        public func put(
            _ key: String, _ value: [UInt8], timeToLive: Duration? = nil, priority: UInt8 = 0
        ) throws(Failure) -> Place {
            try Failure.check(key: key)
            try Failure.check(value: value)
            var options = PutOptions()
            options.type = .octetStream
            options.expiry = expiry(timeToLive)
            options.priority = priority
            let key = Array(key.utf8)
            let result = try Failure.translating { () throws(EngineError) in
                try log.put(key: key.span.bytes, value: value.span.bytes, options).inMemory()
            }
            return Place(partition: result.revision.partition, offset: result.revision.offset.rawValue)
        }

        /// The same for text.
        @discardableResult
        public func put(
            _ key: String, _ text: String, timeToLive: Duration? = nil, priority: UInt8 = 0
        ) throws(Failure) -> Place {
            try put(key, Array(text.utf8), timeToLive: timeToLive, priority: priority)
        }

        /// The newest record of a key; nil when there is none, or it has expired.
        public func get(_ key: String) -> Record? {
            // Logs in memory have no archive, and nothing else refuses.
            let found = try? log.get(key: Array(key.utf8).span.bytes)
            return found.map { Record($0) }
        }

        /// - Returns: whether there was one.
        @discardableResult
        public func delete(_ key: String) throws(Failure) -> Bool {
            let key = Array(key.utf8)
            do throws(EngineError) {
                _ = try log.delete(key: key.span.bytes, condition: .none, acknowledgement: nil)
                return true
            } catch {
                if case .keyNotFound = error { return false }
                throw Failure(error)
            }
        }

        /// Adds to a decimal integer; a missing key counts as 0. - Returns: the sum.
        /// - Throws: `notAnInteger`, `integerOverflow`.
        @discardableResult
        public func increment(_ key: String, by amount: Int64 = 1) throws(Failure) -> Int64 {
            try Failure.check(key: key)
            var options = IncrementOptions()
            options.by = amount
            let key = Array(key.utf8)
            let chosen = options
            return try Failure.translating { () throws(EngineError) in
                try log.increment(key: key.span.bytes, chosen).inMemory().value
            }
        }

        private func expiry(_ timeToLive: Duration?) -> Expiry {
            guard let timeToLive else { return .logDefault }
            return .at(milliseconds: max(1, addingSaturated(log.clock.now(), timeToLive.wholeMilliseconds)))
        }
    }

    /// Where a record is: its partition, and its offset there.
    public struct Place: Sendable, Hashable {
        public let partition: Int
        public let offset: Int64
    }

    /// A record as it was written. Its bytes stay where they are while it is held, whatever becomes of the log.
    public struct Record: Sendable {
        private let record: StorageEngine.Record

        init(_ record: StorageEngine.Record) {
            self.record = record
        }

        public var place: Place { Place(partition: record.partition, offset: record.offset.rawValue) }
        /// Unix milliseconds.
        public var timestamp: Int64 { record.timestamp }
        /// Nil for a record without a key.
        public var key: String? { record.key.map { String(decoding: $0, as: UTF8.self) } }
        public var value: [UInt8] { Array(record.value) }
        /// The value, with bytes that are no UTF-8 repaired.
        public var text: String { String(decoding: record.value, as: UTF8.self) }
        /// The key was deleted, expired or evicted here.
        public var isTombstone: Bool { record.type.isTombstone }
    }
}

extension Outcome {
    /// The value of a write in memory mode, which is always there at once.
    func inMemory() throws(EngineError) -> Value {
        switch self {
        case .done(let value): return value
        case .pending: throw .notImplemented(feature: "an embedded log that waits for its commit log")
        }
    }
}
