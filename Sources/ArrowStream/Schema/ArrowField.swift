/// A column of a schema, or a part of one, with all below it.
final class ArrowField {
    /// Where it is for people: the names from the column down, with dots between them. Empty for the batch
    /// itself.
    let path: String
    let name: String
    /// As the producer wrote it, for messages.
    let format: String
    /// Of what lies in the column's own buffers: the indices, if there is a dictionary.
    let type: ArrowType
    let layout: ArrowLayout
    let isNullable: Bool
    let metadata: [ArrowMetadata]
    let children: [ArrowField]
    let dictionary: ArrowDictionary?

    init(
        path: String, name: String, format: String, type: ArrowType, isNullable: Bool,
        metadata: [ArrowMetadata], children: [ArrowField], dictionary: ArrowDictionary?
    ) {
        self.path = path
        self.name = name
        self.format = format
        self.type = type
        self.layout = ArrowLayout(of: type)
        self.isNullable = isNullable
        self.metadata = metadata
        self.children = children
        self.dictionary = dictionary
    }

    func malformed(_ reason: String) -> ArrowStreamFailure {
        .malformedArray(column: path, format: format, reason: reason)
    }

    func tooLarge(_ reason: String) -> ArrowStreamFailure {
        .tooLarge(column: path, format: format, reason: reason)
    }
}
