import JSON

/// What is wrong with a body, said to a client.
extension Problem {
    package init(_ failure: JSONFailure) {
        let place = failure.position.map { " at byte \($0)" } ?? ""
        self.init(
            .invalidJSON, "\(failure.message)\(place)",
            members: failure.position.map { [.init("position", .integer(Int64($0)))] } ?? [])
    }

    package init(_ failure: FieldFailure) {
        let code: ProblemCode =
            switch failure.kind {
            case .unknownField: .unknownField
            case .wrongType, .outOfRange, .missing: .invalidArgument
            }
        self.init(
            code, failure.message,
            members: failure.path.isEmpty ? [] : [.init("field", .string(failure.path))])
    }

    /// Which record or line is at fault is for the handler to add: only it knows what an `item` is.
    package init(_ failure: RecordFailure) {
        let code: ProblemCode =
            switch failure.kind {
            case .invalid, .tooDeep, .duplicateField: .invalidJSON
            case .tooMany, .tooLarge: .payloadTooLarge
            case .noMemory: .overloaded
            case .unknownField: .unknownField
            case .wrongType, .outOfRange, .missing, .conflict: .invalidArgument
            }
        var members: [JSONValue.Member] = []
        if let field = failure.field { members.append(.init("field", .string(field))) }
        if let position = failure.position { members.append(.init("position", .integer(Int64(position)))) }
        self.init(code, failure.message, members: members)
    }
}
