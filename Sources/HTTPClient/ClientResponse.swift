/// The head of a response.
package struct ClientResponse: Sendable {
    package internal(set) var status = 0
    package internal(set) var fields: [(name: String, value: String)] = []

    package init(status: Int = 0, fields: [(name: String, value: String)] = []) {
        self.status = status
        self.fields = fields
    }

    /// The first field of this name, compared without case.
    package func field(_ name: String) -> String? {
        let name = name.lowercased()
        return fields.first { $0.name.lowercased() == name }?.value
    }

    /// Takes one line of the head, as it came.
    mutating func take(line: String) {
        let line = line.trimmingSuffix("\r\n")
        if line.hasPrefix("HTTP/") {
            // A new head: that of the answer proper, after a 100.
            let words = line.split(separator: " ", maxSplits: 2)
            status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            fields = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append((String(line[..<colon]), String(value)))
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ characters: String) -> Substring {
        // CR LF is one character to Swift, so compare scalars.
        var end = unicodeScalars.endIndex
        while end > unicodeScalars.startIndex {
            let before = unicodeScalars.index(before: end)
            guard characters.unicodeScalars.contains(unicodeScalars[before]) else { break }
            end = before
        }
        return self[..<end]
    }
}
