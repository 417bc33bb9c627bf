/// Histories made by hand, to show what the checker finds.
enum BrokenHistories {
    private typealias Access = History.Access

    static func check() throws {
        try expect(lostUpdate, "a lost update")
        try expect(writeSkew, "a write skew")
        try expect(tornRead, "a read between two writes of one transaction")
        guard case .serializable = SerializabilityChecker.check(inOrder) else {
            throw Failure("the checker refuses transactions that ran one after the other")
        }
        report("the checker accepts transactions that ran one after the other")
    }

    private static func expect(_ history: History, _ name: String) throws {
        guard case .broken(let reason) = SerializabilityChecker.check(history) else {
            throw Failure("the checker does not see \(name)")
        }
        report("the checker refuses \(name): \(reason)")
    }

    private static func access(_ key: Int32, _ version: Int64) -> Access {
        Access(key: key, version: version)
    }

    /// T0 writes the first version of keys 0 and 1.
    private static var start: History {
        var history = History()
        history.add(reads: [], writes: [access(0, 0), access(1, 0)])
        return history
    }

    /// Both read the first version and write, one after the other.
    private static var lostUpdate: History {
        var history = start
        history.add(reads: [access(0, 0)], writes: [access(0, 1)])
        history.add(reads: [access(0, 0)], writes: [access(0, 2)])
        return history
    }

    /// Both read both keys, each writes another one.
    private static var writeSkew: History {
        var history = start
        history.add(reads: [access(0, 0), access(1, 0)], writes: [access(0, 1)])
        history.add(reads: [access(0, 0), access(1, 0)], writes: [access(1, 1)])
        return history
    }

    private static var tornRead: History {
        var history = start
        history.add(reads: [access(0, 0), access(1, 0)], writes: [access(0, 1), access(1, 1)])
        history.add(reads: [access(0, 1), access(1, 0)], writes: [])
        return history
    }

    private static var inOrder: History {
        var history = start
        history.add(reads: [access(0, 0), access(1, 0)], writes: [access(0, 1)])
        history.add(reads: [access(0, 1), access(1, 0)], writes: [access(0, 2), access(1, 1)])
        history.add(reads: [access(0, 2), access(1, 1)], writes: [])
        return history
    }
}
