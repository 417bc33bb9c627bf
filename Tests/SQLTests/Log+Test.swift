import Platform
import StorageEngine
import Support

extension Log {
    func appendTexts(_ values: [String], timestamps: [Int64] = []) throws {
        var draft = Draft.of(values)
        draft.timestamps = timestamps
        _ = try append(draft, AppendOptions())
    }

    func append(bytes: [UInt8], type: RecordType) throws {
        var draft = Draft(source: ByteBuffer(bytes))
        draft.values = [.init(source: 0, count: UInt32(bytes.count))]
        draft.types = [type]
        _ = try append(draft, AppendOptions())
    }
}
