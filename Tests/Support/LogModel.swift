/// What a log must hold, kept the simplest way: every record ever assigned, in order.
package struct LogModel: Sendable {
    package struct Row: Sendable {
        package let key: String?
        package let value: String
        package let deadline: Int64
        package let isTombstone: Bool
    }

    package private(set) var rows: [Row] = []
    package var first = 0
    package private(set) var newest: [String: Int] = [:]

    package init() {}

    package mutating func append(
        key: String?, value: String, deadline: Int64 = .max, isTombstone: Bool = false
    ) {
        if let key { newest[key] = isTombstone ? nil : rows.count }
        rows.append(Row(key: key, value: value, deadline: deadline, isTombstone: isTombstone))
    }

    /// Takes back the last row, which was refused.
    package mutating func removeLast() {
        let kept = prefix(rows.count - 1)
        self = kept
    }

    /// What it was when it had so many rows.
    package func prefix(_ count: Int) -> LogModel {
        var model = LogModel()
        for row in rows.prefix(count) {
            model.append(key: row.key, value: row.value, deadline: row.deadline, isTombstone: row.isTombstone)
        }
        model.first = min(first, count)
        return model
    }

    package func current(_ key: String, now: Int64) -> (offset: Int, row: Row)? {
        guard let offset = newest[key], offset >= first, rows[offset].deadline > now else { return nil }
        return (offset, rows[offset])
    }

    package func liveKeys(now: Int64) -> [String] {
        newest.keys.filter { current($0, now: now) != nil }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
    }

    /// Offsets that must be readable, and those that may be.
    package func readable(compactsKeys: Bool, now: Int64) -> (required: [Int], allowed: Set<Int>) {
        let visible = rows.indices.filter { $0 >= first && rows[$0].deadline > now }
        let required = visible.filter { offset in
            guard compactsKeys, let key = rows[offset].key else { return true }
            return newest[key] == offset
        }
        return (required, Set(visible))
    }
}
