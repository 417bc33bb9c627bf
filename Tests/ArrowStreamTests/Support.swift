import ArrowStream

/// A stream under test: what it is fed comes from hand-made structures.
struct TestStream {
    let encoder: ArrowStreamEncoder

    init(batch schema: ProducedSchema) throws(ArrowStreamFailure) {
        let memory = ArrowSchemaMemory()
        schema.fill(memory.pointer)
        encoder = try ArrowStreamEncoder(schema: memory)
    }

    init(_ columns: ProducedSchema...) throws(ArrowStreamFailure) {
        try self.init(batch: ProducedSchema("+s", "", columns))
    }

    func bytes(_ batch: ProducedArray) throws(ArrowStreamFailure) -> [UInt8] {
        let memory = ArrowArrayMemory()
        batch.fill(memory.pointer)
        return try encoder.batch(memory)
    }

    func messages(_ batch: ProducedArray) throws(ArrowStreamFailure) -> [ReadMessage] {
        ReadMessage.all(try bytes(batch))
    }

    /// The message of a batch of one column, without that of a dictionary.
    func column(_ column: ProducedArray) throws(ArrowStreamFailure) -> ReadMessage {
        let messages = try messages(.batch(column))
        return messages[messages.count - 1]
    }

    /// The table `Field` of each column.
    var fields: [FlatReader] { ReadMessage.all(encoder.header())[0].header.tables(1) }
}

/// The failure of a call that must fail.
func failure(_ body: () throws(ArrowStreamFailure) -> Void) -> ArrowStreamFailure? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
