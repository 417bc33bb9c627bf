/// Server-sent events out of bytes that arrive in pieces, after the HTML standard's "event stream interpretation".
struct EventStreamParser {
    struct Event: Equatable {
        var name = "message"
        /// As of this event; it stays that of the last event that had one.
        var id: String?
        var data = ""
    }

    private var line: [UInt8] = []
    private var previousWasCarriageReturn = false
    private var name = ""
    private var data: [String] = []
    private var id: String?

    /// - Returns: the events that these bytes complete.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            let isSecondOfPair = byte == 0x0A && previousWasCarriageReturn
            previousWasCarriageReturn = byte == 0x0D
            if isSecondOfPair { continue }
            guard byte == 0x0A || byte == 0x0D else {
                line.append(byte)
                continue
            }
            if let event = takeLine() { events.append(event) }
        }
        return events
    }

    private mutating func takeLine() -> Event? {
        let text = String(decoding: line, as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        if text.isEmpty { return dispatch() }
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        var value = text[colon...].dropFirst()
        if value.hasPrefix(" ") { value = value.dropFirst() }
        switch text[..<colon] {
        case "event": name = String(value)
        case "data": data.append(String(value))
        case "id": id = String(value)
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Event? {
        defer {
            name = ""
            data = []
        }
        guard !data.isEmpty || !name.isEmpty else { return nil }
        return Event(name: name.isEmpty ? "message" : name, id: id, data: data.joined(separator: "\n"))
    }
}
