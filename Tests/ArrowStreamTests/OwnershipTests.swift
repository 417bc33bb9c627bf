import ArrowStream
import Testing

@Suite("Who releases what")
struct OwnershipTests {
    static let schema = ProducedSchema.batch(.init("c", "a"))
    static let batch = ProducedArray.batch(.init(1, [nil, [1]]))

    @Test("memory that no encoder took is released with its object")
    func unused() {
        let releases = Releases()
        do {
            let schema = ArrowSchemaMemory()
            let array = ArrowArrayMemory()
            #expect(schema.isReleased && array.isReleased)
            Self.schema.fill(schema.pointer, releases)
            Self.batch.fill(array.pointer, releases)
            #expect(!schema.isReleased && !array.isReleased)
        }
        #expect(releases.count == 4)
    }

    @Test("a schema and an array are moved and released once, and the memory can be filled again")
    func moved() throws {
        let releases = Releases()
        let schema = ArrowSchemaMemory()
        Self.schema.fill(schema.pointer, releases)
        let encoder = try ArrowStreamEncoder(schema: schema.pointer)
        #expect(schema.isReleased)
        #expect(releases.count == 2)
        let array = ArrowArrayMemory()
        for count in 1...3 {
            Self.batch.fill(array.pointer, releases)
            _ = try encoder.batch(array.pointer)
            #expect(array.isReleased)
            #expect(releases.count == 2 + 2 * count)
        }
    }

    @Test("a schema that is refused is released too")
    func refused() {
        let releases = Releases()
        let schema = ArrowSchemaMemory()
        ProducedSchema.batch(.init("x", "a")).fill(schema.pointer, releases)
        #expect(throws: ArrowStreamFailure.self) { try ArrowStreamEncoder(schema: schema.pointer) }
        #expect(schema.isReleased)
        #expect(releases.count == 2)
    }
}
