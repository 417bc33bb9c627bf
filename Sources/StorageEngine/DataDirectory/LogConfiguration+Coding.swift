import Platform

// A log's configuration as bytes: each field that differs from the default, under a number that is never given again.
extension LogConfiguration {
    private enum Field: UInt16 {
        case mode = 1
        case partitions, ttl, compaction, tombstones
        case retainedBytes, retainedAge, retainedRecords
        case memoryBytes, eviction, watermark
        case acknowledgement, synchronisation, synchronisationInterval
        case memoryTTL, diskAfter, localDisk, diskFallback, s3Archive, s3After
        case replicationFactor, writeQuorum, schema, verification
        /// Behind the last field.
        case end = 0
    }

    func encode(to buffer: ByteBuffer) {
        let usual = LogConfiguration()
        func put<Value: Equatable>(_ field: Field, _ path: KeyPath<Self, Value>, _ write: (Value) -> Void) {
            guard self[keyPath: path] != usual[keyPath: path] else { return }
            buffer.append(field.rawValue)
            write(self[keyPath: path])
        }
        func integer(_ field: Field, _ path: KeyPath<Self, Int>) {
            put(field, path) { buffer.append(Int64($0)) }
        }
        func optional(_ field: Field, _ path: KeyPath<Self, Int?>) {
            put(field, path) { buffer.append(Int64($0 ?? 0)) }
        }
        func optional(_ field: Field, _ path: KeyPath<Self, Int64?>) {
            put(field, path) { buffer.append($0 ?? 0) }
        }
        func integer(_ field: Field, _ path: KeyPath<Self, Int64>) { put(field, path) { buffer.append($0) } }
        func flag(_ field: Field, _ path: KeyPath<Self, Bool>) {
            put(field, path) { buffer.append(UInt8($0 ? 1 : 0)) }
        }
        func choice<Choice: RawRepresentable<String> & Equatable>(
            _ field: Field, _ path: KeyPath<Self, Choice>
        ) {
            put(field, path) { buffer.append(counted: $0.rawValue) }
        }
        choice(.mode, \.mode)
        integer(.partitions, \.partitions)
        optional(.ttl, \.ttlMilliseconds)
        choice(.compaction, \.compaction)
        flag(.tombstones, \.tombstones)
        optional(.retainedBytes, \.retention.maxBytes)
        optional(.retainedAge, \.retention.maxAgeMilliseconds)
        optional(.retainedRecords, \.retention.maxRecords)
        optional(.memoryBytes, \.memory.maxBytes)
        choice(.eviction, \.memory.eviction)
        put(.watermark, \.memory.watermark) { buffer.append($0.bitPattern) }
        choice(.acknowledgement, \.durability.acknowledgement)
        choice(.synchronisation, \.durability.synchronisation)
        integer(.synchronisationInterval, \.durability.synchronisationIntervalMilliseconds)
        integer(.memoryTTL, \.hybrid.memoryTTLMilliseconds)
        integer(.diskAfter, \.hybrid.diskAfterMilliseconds)
        flag(.localDisk, \.hybrid.localDisk)
        flag(.diskFallback, \.hybrid.diskFallback)
        put(.s3Archive, \.hybrid.s3Archive) { buffer.append(counted: $0 ?? "") }
        optional(.s3After, \.hybrid.s3AfterMilliseconds)
        integer(.replicationFactor, \.replication.factor)
        integer(.writeQuorum, \.replication.writeQuorum)
        put(.schema, \.schema) { fields in
            buffer.append(UInt32(fields.count))
            for field in fields {
                buffer.append(counted: field.name)
                buffer.append(counted: field.type)
            }
        }
        choice(.verification, \.verification)
        buffer.append(Field.end.rawValue)
    }

    init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        self.init()
        while true {
            guard let field = Field(rawValue: try reader.integer()) else { throw .init() }
            if field == .end { return }
            try read(field, &reader)
        }
    }

    private mutating func read(_ field: Field, _ reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        switch field {
        case .end: break
        case .mode: mode = try reader.choice()
        case .partitions: partitions = try reader.count()
        case .ttl: ttlMilliseconds = try reader.integer()
        case .compaction: compaction = try reader.choice()
        case .tombstones: tombstones = try reader.flag()
        case .retainedBytes: retention.maxBytes = try reader.count()
        case .retainedAge: retention.maxAgeMilliseconds = try reader.integer()
        case .retainedRecords: retention.maxRecords = try reader.count()
        case .memoryBytes: memory.maxBytes = try reader.count()
        case .eviction: memory.eviction = try reader.choice()
        case .watermark: memory.watermark = Double(bitPattern: try reader.integer())
        case .acknowledgement: durability.acknowledgement = try reader.choice()
        case .synchronisation: durability.synchronisation = try reader.choice()
        case .synchronisationInterval: durability.synchronisationIntervalMilliseconds = try reader.integer()
        case .memoryTTL: hybrid.memoryTTLMilliseconds = try reader.integer()
        case .diskAfter: hybrid.diskAfterMilliseconds = try reader.integer()
        case .localDisk: hybrid.localDisk = try reader.flag()
        case .diskFallback: hybrid.diskFallback = try reader.flag()
        case .s3Archive: hybrid.s3Archive = try reader.text()
        case .s3After: hybrid.s3AfterMilliseconds = try reader.integer()
        case .replicationFactor: replication.factor = try reader.count()
        case .writeQuorum: replication.writeQuorum = try reader.count()
        case .schema:
            schema = []
            for _ in 0..<(try reader.integer(UInt32.self)) {
                schema.append(SchemaField(name: try reader.text(), type: try reader.text()))
            }
        case .verification: verification = try reader.choice()
        }
    }
}

extension BinaryReader {
    fileprivate mutating func choice<Choice: RawRepresentable<String>>() throws(Malformed) -> Choice {
        guard let choice = Choice(rawValue: try text()) else { throw Malformed() }
        return choice
    }

    fileprivate mutating func flag() throws(Malformed) -> Bool { try integer(UInt8.self) != 0 }
}
