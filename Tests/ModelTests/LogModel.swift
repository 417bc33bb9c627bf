/// What a log must hold, kept the simplest way: every record ever assigned, in order.
struct LogModel {
    struct Row {
        let key: String?
        let value: String
        let deadline: Int64
        let isTombstone: Bool
        var isReadable = true
    }

    var rows: [Row] = []
    var first = 0
    var newest: [String: Int] = [:]

    mutating func append(key: String?, value: String, deadline: Int64 = .max, isTombstone: Bool = false) {
        if let key { newest[key] = isTombstone ? nil : rows.count }
        rows.append(Row(key: key, value: value, deadline: deadline, isTombstone: isTombstone))
    }

    func current(_ key: String, now: Int64) -> (offset: Int, row: Row)? {
        guard let offset = newest[key], offset >= first, rows[offset].deadline > now else { return nil }
        return (offset, rows[offset])
    }

    func liveKeys(now: Int64) -> [String] {
        newest.keys.filter { current($0, now: now) != nil }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
    }

    /// Offsets that must be readable, and those that may be.
    func readable(compactsKeys: Bool, now: Int64) -> (required: [Int], allowed: Set<Int>) {
        let visible = rows.indices.filter { $0 >= first && rows[$0].deadline > now }
        let required = visible.filter { offset in
            guard compactsKeys, let key = rows[offset].key else { return true }
            return newest[key] == offset
        }
        return (required, Set(visible))
    }
}
