import CArrow

/// Writes the streaming format of Apache Arrow
/// (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format) from the structures of its C
/// data interface, which a producer fills:
///
///     let encoder = try ArrowStreamEncoder(schema: schemaMemory)
///     send(encoder.header())
///     while produce(into: arrayMemory.pointer) { send(try encoder.batch(arrayMemory)) }
///     send(ArrowStreamEncoder.end)
///
/// Not thread-safe: batches are told one after the other, since a dictionary is sent only when it is new.
package final class ArrowStreamEncoder {
    /// What ends a stream.
    package static let end: [UInt8] = StreamMessage.continuation + [0, 0, 0, 0]

    private let root: ArrowField
    private let schemaMessage: [UInt8]
    /// The message with which a reader got each dictionary it has, by number.
    private var dictionariesSent: [Int64: [UInt8]] = [:]

    /// - Parameter schema: an `ArrowSchema` of the format `+s` with the columns as its children. It is moved:
    ///   released in here, also when this throws.
    package init(schema: UnsafeMutableRawPointer) throws(ArrowStreamFailure) {
        let owned = ArrowSchemaMemory(moving: schema.assumingMemoryBound(to: ArrowSchema.self))
        defer { withExtendedLifetime(owned) {} }
        root = try SchemaReader.read(owned.typed)
        schemaMessage = try StreamMessage.schema(root)
    }

    package convenience init(schema: ArrowSchemaMemory) throws(ArrowStreamFailure) {
        // Its pointer alone would not keep it until the schema is moved.
        defer { withExtendedLifetime(schema) {} }
        try self.init(schema: schema.pointer)
    }

    /// The message that a stream begins with.
    package func header() -> [UInt8] { schemaMessage }

    /// The message of one batch, behind those of the dictionaries that a reader has not got yet.
    ///
    /// - Parameter array: an `ArrowArray` of the schema's format. It is moved: released in here, also when
    ///   this throws.
    /// - Throws: when the array does not fit the schema. Nothing counts as sent then, and the encoder can go
    ///   on with another one.
    package func batch(_ array: UnsafeMutableRawPointer) throws(ArrowStreamFailure) -> [UInt8] {
        let owned = ArrowArrayMemory(moving: array.assumingMemoryBound(to: ArrowArray.self))
        defer { withExtendedLifetime(owned) {} }
        let plan = try BatchPlan.columns(of: try ArrowSlice(owned.typed, of: root))
        let message = try StreamMessage.recordBatch(plan, of: root)
        guard !plan.dictionaries.isEmpty else { return message }

        var news = DictionaryNews(sent: dictionariesSent)
        try news.append(plan.dictionaries)
        dictionariesSent = news.sent
        return news.messages.isEmpty ? message : news.messages + message
    }

    package func batch(_ array: ArrowArrayMemory) throws(ArrowStreamFailure) -> [UInt8] {
        defer { withExtendedLifetime(array) {} }
        return try batch(array.pointer)
    }
}
