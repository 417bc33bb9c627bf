import JSON

extension JSONValue {
    /// The value after a JSON merge patch (RFC 7396): `null` takes a member away.
    func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members: [Member] = []
        if case .object(let existing) = self { members = existing }
        for change in changes {
            let index = members.firstIndex { $0.name == change.name }
            if change.value == .null {
                if let index { members.remove(at: index) }
            } else if let index {
                members[index] = Member(change.name, members[index].value.merged(with: change.value))
            } else {
                members.append(Member(change.name, JSONValue.null.merged(with: change.value)))
            }
        }
        return .object(members)
    }

    /// The paths at which two values differ, such as `memory.max_bytes`.
    func differences(from other: JSONValue, path: String = "") -> [String] {
        guard case .object(let members) = self, case .object(let others) = other else {
            return self == other ? [] : [path]
        }
        let names =
            members.map(\.name) + others.map(\.name).filter { name in !members.contains { $0.name == name } }
        return names.flatMap { name -> [String] in
            let below = path.isEmpty ? name : "\(path).\(name)"
            guard let mine = members.first(where: { $0.name == name })?.value,
                let theirs = others.first(where: { $0.name == name })?.value
            else { return [below] }
            return mine.differences(from: theirs, path: below)
        }
    }
}
