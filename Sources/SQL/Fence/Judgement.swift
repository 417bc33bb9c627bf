import Platform

/// What a text was found to be before it runs. That depends on the text, and on which of its names are logs.
struct Judgement: Sendable {
    /// As it runs: without what is pushed down.
    let text: StatementText
    let finding: Fence.Finding
    /// Those that are pushed down.
    let filters: [Pushdown.Filter]
    /// The others.
    let bounds: [BoundFinder.Bound]
    /// The names that were asked for, and whether they were logs.
    let names: [String: Bool]

    func holds(where isLog: (String) -> Bool) -> Bool { names.allSatisfy { isLog($0) == $1 } }
}

/// Keeps what was found out about the texts of late: dashboards send the same ones again and again.
final class Judgements: Sendable {
    /// Longer texts are judged each time; with `countMax` this bounds the memory to a few mebibytes.
    static let textBytesMax = 4096
    /// Of each generation. When the newer is full, the older is forgotten.
    static let countMax = 64

    private struct State {
        var newer: [ExactString: Judgement] = [:]
        var older: [ExactString: Judgement] = [:]
    }

    private let state = Lock(State())

    func judgement(of text: String) -> Judgement? {
        let text = ExactString(text)
        return state.withLock { state in
            if let judgement = state.newer[text] { return judgement }
            guard let judgement = state.older[text] else { return nil }
            Self.add(judgement, of: text, to: &state)
            return judgement
        }
    }

    func keep(_ judgement: Judgement, of text: String) {
        guard text.utf8.count <= Self.textBytesMax else { return }
        state.withLock { Self.add(judgement, of: ExactString(text), to: &$0) }
    }

    private static func add(_ judgement: Judgement, of text: ExactString, to state: inout State) {
        if state.newer.count >= countMax {
            state.older = state.newer
            state.newer = [:]
        }
        state.newer[text] = judgement
    }
}
