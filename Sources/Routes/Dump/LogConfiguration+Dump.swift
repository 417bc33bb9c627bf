import JSON
import StorageEngine

extension LogConfiguration {
    /// As a dump has it. What this version does not know is passed over, what the dump's did not know has its default.
    ///
    /// - Parameter mode: in place of the one that is there.
    /// - Throws: a `FieldFailure` with the field's path.
    init(dumped json: JSONValue, mode: Mode?) throws {
        let known = json.keeping(membersOf: LogConfiguration().json)
        do {
            self = try LogConfiguration(json: known)
        } catch let failure as FieldFailure {
            throw FieldFailure(
                failure.kind, path: failure.path.isEmpty ? "config" : "config.\(failure.path)",
                message: failure.path.isEmpty
                    ? "config must be an object" : "config.\(failure.message)")
        }
        if let mode, mode != self.mode {
            let before = self
            self.mode = mode
            followMode(of: before)
        }
    }
}

extension JSONValue {
    /// Without members that the other object does not have; its empty objects have names of the client's.
    fileprivate func keeping(membersOf other: JSONValue) -> JSONValue {
        guard case .object(let members) = self, case .object(let known) = other, !known.isEmpty else {
            return self
        }
        return .object(
            members.compactMap { member in
                guard let counterpart = known.first(where: { $0.name == member.name }) else { return nil }
                return Member(member.name, member.value.keeping(membersOf: counterpart.value))
            })
    }
}
