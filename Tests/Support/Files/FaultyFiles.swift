import Glibc
import Platform
import Synchronization

/// Files of another file system whose calls are counted, and fail when the test says so.
package final class FaultyFiles: FileSystem {
    /// Which call fails, and how.
    package struct Plan: Sendable {
        /// The number of the call, from 1 on; nil: none fails.
        package var at: Int?
        /// Only these are counted and fail.
        package var calls = FileCall.changing
        package var code = EIO
        /// All later calls fail too, whatever they are: the process was killed.
        package var kills = false
        /// All later calls of the kind fail too, until `lift()`.
        package var lasts = false
        /// A write that fails has written whole sectors of its beginning.
        package var shortensWrites = false
        /// Only paths that contain this.
        package var path = ""
        /// Only writes that make a file longer: what a full disk refuses.
        package var onlyGrowing = false
        /// Only files of the write-ahead log that are in use, not one that is made ahead.
        package var onlyUsedLog = false
        package init() {}
    }

    private struct State {
        var plan: Plan
        var count = 0
        var total = 0
        var isFailing = false
        var isDead = false
        var slowness: [FileCall: Int] = [:]
        /// Of the write-ahead log, once one that was in use could not be synchronised.
        var logFailed = false
        var violations: [String] = []
    }

    private static let sectorBytes = 512
    private let base: any FileSystem
    private let state: Lock<State>

    package init(_ base: any FileSystem, _ plan: Plan = Plan()) {
        self.base = base
        state = Lock(State(plan: plan))
    }

    /// The process is killed at the Nth call that changes something.
    package static func killing(_ base: any FileSystem, at number: Int, shortensWrites: Bool = false)
        -> FaultyFiles
    {
        var plan = Plan()
        plan.at = number
        plan.kills = true
        plan.shortensWrites = shortensWrites
        return FaultyFiles(base, plan)
    }

    /// Calls of the plan's kinds so far.
    package var count: Int { state.withLock { $0.count } }
    package var totalCount: Int { state.withLock { $0.total } }
    /// The plan's call was reached.
    package var hasFailed: Bool { state.withLock { $0.isFailing } }
    /// A file of the write-ahead log that was in use could not be synchronised.
    package var logFailed: Bool { state.withLock { $0.logFailed } }
    /// What was done to files that may not be done after a failure.
    package var violations: [String] { state.withLock { $0.violations } }

    /// From now on everything works.
    package func lift() {
        state.withLock { state in
            state.plan = Plan()
            state.isDead = false
        }
    }

    /// Counts from here.
    package func replace(_ plan: Plan) {
        state.withLock { state in
            state.plan = plan
            state.count = 0
            state.isFailing = false
        }
    }

    /// Everything fails from now on.
    package func kill() { state.withLock { $0.isDead = true } }

    package func slow(_ call: FileCall, milliseconds: Int) {
        state.withLock { $0.slowness[call] = milliseconds }
    }

    // MARK: Deciding

    fileprivate enum Verdict {
        case passes
        /// `first`: it is the plan's call itself, which may have half happened.
        case fails(code: Int32, first: Bool, shortens: Bool)
    }

    fileprivate func judge(
        _ call: FileCall, _ path: String, grows: Bool = false, isUsedLog: Bool = false
    ) -> Verdict {
        let (verdict, pause) = state.withLock { state -> (Verdict, Int?) in
            let pause = state.slowness[call]
            state.total += 1
            if state.isDead { return (.fails(code: EIO, first: false, shortens: false), nil) }
            let plan = state.plan
            guard plan.calls.contains(call), plan.path.isEmpty || path.contains(plan.path),
                !plan.onlyGrowing || grows, !plan.onlyUsedLog || isUsedLog
            else { return (.passes, pause) }
            state.count += 1
            let isFirst = state.count == plan.at
            guard isFirst || (state.isFailing && plan.lasts) else { return (.passes, pause) }
            state.isFailing = true
            if plan.kills { state.isDead = true }
            return (.fails(code: plan.code, first: isFirst, shortens: plan.shortensWrites), pause)
        }
        if let pause { Clock.pause(milliseconds: pause) }
        return verdict
    }

    fileprivate func check(
        _ call: FileCall, _ path: String, grows: Bool = false, isUsedLog: Bool = false
    ) throws(FileFailure) {
        if case .fails(let code, _, _) = judge(call, path, grows: grows, isUsedLog: isUsedLog) {
            throw FileFailure(call.rawValue, path, code)
        }
    }

    fileprivate func noteLogFailure() { state.withLock { $0.logFailed = true } }

    fileprivate func noteUse(_ what: String, of path: String, isLog: Bool) {
        state.withLock { state in
            if state.logFailed && isLog { state.violations.append("\(what) \(path) after a failure") }
        }
    }

    fileprivate func noteViolation(_ text: String) { state.withLock { $0.violations.append(text) } }

    // MARK: FileSystem

    package func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> any OpenFile {
        try check(access == .create ? .create : .open, path, grows: access == .create)
        return FaultyFile(try base.open(path, access), self)
    }

    package func makeDirectory(_ path: String) throws(FileFailure) {
        try check(.makeDirectory, path, grows: true)
        try base.makeDirectory(path)
    }

    package func list(_ path: String) throws(FileFailure) -> [String] {
        try check(.list, path)
        return try base.list(path)
    }

    package func exists(_ path: String) -> Bool { base.exists(path) }

    package func rename(_ path: String, to target: String) throws(FileFailure) {
        try check(.rename, path)
        try base.rename(path, to: target)
    }

    package func remove(_ path: String) throws(FileFailure) {
        try check(.remove, path)
        try base.remove(path)
    }

    package func synchroniseDirectory(_ path: String) throws(FileFailure) {
        try check(.synchroniseDirectory, path)
        try base.synchroniseDirectory(path)
    }

    package func lock(_ path: String) throws(FileFailure) -> any OpenFile {
        try check(.lock, path)
        return try base.lock(path)
    }

    package func freeBytes(at path: String) throws(FileFailure) -> Int {
        try check(.freeBytes, path)
        return try base.freeBytes(at: path)
    }

    package func scratch(in directory: String, bytes: Int) throws(FileFailure) -> any ScratchMemory {
        try check(.scratch, directory, grows: true)
        return try base.scratch(in: directory, bytes: bytes)
    }
}

private final class FaultyFile: OpenFile {
    private let base: any OpenFile
    private let files: FaultyFiles
    private let couldNotSynchronise = Atomic<Bool>(false)
    /// Something that does not begin with zero was written: a file of the write-ahead log is in use.
    private let isUsed = Atomic<Bool>(false)

    init(_ base: any OpenFile, _ files: FaultyFiles) {
        self.base = base
        self.files = files
    }

    var path: String { base.path }
    private var isLog: Bool { path.hasSuffix(".wal") && isUsed.load(ordering: .relaxed) }

    func size() throws(FileFailure) -> Int {
        try files.check(.size, path)
        return try base.size()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws(FileFailure) {
        try files.check(.read, path)
        try base.read(into: buffer, at: position)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(FileFailure) {
        if !isUsed.load(ordering: .relaxed), bytes.first != 0 {
            isUsed.store(true, ordering: .relaxed)
        }
        files.noteUse("write to", of: path, isLog: isLog)
        let grows = try position + bytes.count > base.size()
        switch files.judge(.write, path, grows: grows) {
        case .passes:
            try base.write(bytes, at: position)
        case .fails(let code, let isFirst, let shortens):
            let whole = (position + bytes.count / 2) / 512 * 512 - position
            if isFirst, shortens, whole > 0 {
                try base.write(UnsafeRawBufferPointer(rebasing: bytes[0..<whole]), at: position)
            }
            throw FileFailure("write", path, code)
        }
    }

    func synchronise() throws(FileFailure) {
        files.noteUse("synchronise", of: path, isLog: isLog)
        if couldNotSynchronise.load(ordering: .relaxed) {
            files.noteViolation("a second synchronisation of \(path)")
        }
        do throws(FileFailure) {
            try files.check(.synchronise, path, isUsedLog: isLog)
            try base.synchronise()
        } catch {
            couldNotSynchronise.store(true, ordering: .relaxed)
            if isLog { files.noteLogFailure() }
            throw error
        }
    }

    func map() throws(FileFailure) -> any MappedBytes {
        try files.check(.map, path)
        return try base.map()
    }
}
