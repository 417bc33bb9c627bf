/// What lies on the disk of a `MemoryFiles`, and what would if its power went.
struct Disk: Sendable {
    final class Node: @unchecked Sendable {
        // Sendable: touched with the lock of its file system held only.
        private(set) var content: [UInt8]
        private(set) var durable: [UInt8]
        /// Since the last synchronisation, oldest first.
        private var writes: [(position: Int, bytes: [UInt8])] = []

        init(content: [UInt8] = []) {
            self.content = content
            durable = content
        }

        func copy() -> Node {
            let node = Node()
            node.content = content
            node.durable = durable
            node.writes = writes
            return node
        }

        func write(_ bytes: [UInt8], at position: Int) {
            Self.apply(bytes, at: position, to: &content)
            writes.append((position, bytes))
        }

        func synchronise() {
            durable = content
            writes = []
        }

        private static func apply(_ bytes: [UInt8], at position: Int, to content: inout [UInt8]) {
            let end = position + bytes.count
            if content.isEmpty, position == 0 {
                content = bytes
                return
            }
            if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
            content.withUnsafeMutableBytes { target in
                bytes.withUnsafeBytes { source in
                    UnsafeMutableRawBufferPointer(rebasing: target[position..<end]).copyMemory(from: source)
                }
            }
        }

        /// Of each sector some of its writes are there, the first ones: it is written whole, but at any time.
        func cutPower(_ random: inout SplitMix) {
            guard !writes.isEmpty else { return }
            var counts: [Int: Int] = [:]
            for write in writes { for sector in Self.sectors(of: write) { counts[sector, default: 0] += 1 } }
            // Nothing and all happen more often than by chance.
            let manner = Int.random(in: 0..<6, using: &random)
            if manner < 2 {
                if manner == 1 { durable = content }
                content = durable
                writes = []
                return
            }
            var kept: [Int: Int] = [:]
            for (sector, count) in counts.sorted(by: { $0.key < $1.key }) {
                kept[sector] =
                    Bool.random(using: &random) ? Int.random(in: 0...count, using: &random) : count
            }
            for write in writes {
                for sector in Self.sectors(of: write) {
                    guard let left = kept[sector], left > 0 else { continue }
                    kept[sector] = left - 1
                    let start = max(write.position, sector * MemoryFiles.sectorBytes)
                    let end = min(write.position + write.bytes.count, (sector + 1) * MemoryFiles.sectorBytes)
                    let part = Array(write.bytes[(start - write.position)..<(end - write.position)])
                    Self.apply(part, at: start, to: &durable)
                }
            }
            content = durable
            writes = []
        }

        private static func sectors(of write: (position: Int, bytes: [UInt8])) -> Range<Int> {
            let size = MemoryFiles.sectorBytes
            return write.position / size..<(write.position + write.bytes.count + size - 1) / size
        }
    }

    enum Change {
        case make(String, Node)
        case makeDirectory(String)
        case rename(String, String, Node)
        case remove(String)

        /// The directory that has to be synchronised for it.
        var directory: String {
            switch self {
            case .make(let path, _), .makeDirectory(let path), .rename(_, let path, _), .remove(let path):
                Disk.parent(path)
            }
        }
    }

    var names: [String: Node] = [:]
    var directories: Set<String> = ["", "/"]
    var durableNames: [String: Node] = [:]
    var durableDirectories: Set<String> = ["", "/"]
    private var changes: [Change] = []
    var locks: Set<String> = []
    private var boots = 0

    var bootID: [UInt8] {
        let number = String(boots)
        return Array((String(repeating: "0", count: 36 - number.count) + number).utf8)
    }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    mutating func change(_ change: Change) {
        Self.apply(change, &names, &directories)
        changes.append(change)
    }

    mutating func synchroniseDirectory(_ path: String) {
        for change in changes where change.directory == path {
            Self.apply(change, &durableNames, &durableDirectories)
        }
        changes.removeAll { $0.directory == path }
    }

    private static func apply(
        _ change: Change, _ names: inout [String: Node], _ directories: inout Set<String>
    ) {
        switch change {
        case .make(let path, let node): names[path] = node
        case .makeDirectory(let path): directories.insert(path)
        case .rename(let path, let target, let node):
            if names[path] === node { names[path] = nil }
            names[target] = node
        case .remove(let path): names[path] = nil
        }
    }

    mutating func cutPower(seed: UInt64, isBoot: Bool = true) {
        var random = SplitMix(state: seed)
        let manner = Int.random(in: 0..<4, using: &random)
        for change in changes {
            let isKept =
                switch manner {
                case 0: false
                case 1: true
                default: Bool.random(using: &random)
                }
            if isKept { Self.apply(change, &durableNames, &durableDirectories) }
        }
        changes = []
        // What lies in a directory that is gone is gone with it.
        durableNames = durableNames.filter { Self.isReachable($0.key, in: durableDirectories) }
        durableDirectories = durableDirectories.filter { Self.isReachable($0, in: durableDirectories) }
        names = durableNames
        directories = durableDirectories
        for (_, node) in names.sorted(by: { $0.key < $1.key }) { node.cutPower(&random) }
        locks = []
        if isBoot { boots += 1 }
    }

    private static func isReachable(_ path: String, in directories: Set<String>) -> Bool {
        var place = path
        while place != "/", !place.isEmpty {
            place = parent(place)
            if !directories.contains(place) { return false }
        }
        return true
    }

    /// Files are copied too, each once: a name that will be undone and one that stays may be of the same file.
    func copy() -> Disk {
        var copies: [ObjectIdentifier: Node] = [:]
        func copied(_ node: Node) -> Node {
            if let known = copies[ObjectIdentifier(node)] { return known }
            let fresh = node.copy()
            copies[ObjectIdentifier(node)] = fresh
            return fresh
        }
        var disk = self
        disk.names = names.mapValues(copied)
        disk.durableNames = durableNames.mapValues(copied)
        disk.changes = changes.map { change in
            switch change {
            case .make(let path, let node): .make(path, copied(node))
            case .rename(let path, let target, let node): .rename(path, target, copied(node))
            case .makeDirectory, .remove: change
            }
        }
        disk.locks = []
        return disk
    }
}
