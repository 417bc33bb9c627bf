import StorageEngine

extension Query {
    /// A batch of a cut with its values, fetched from its log's archive where they are there.
    /// - Throws: why the query ends; it has this as its failure then.
    func loaded(_ view: BatchView, of log: Log) throws(SQLFailure) -> BatchView {
        guard view.isStub else { return view }
        try checkCancelled()
        do throws(EngineError) {
            return try log.loaded(view) { self.isCancelled }
        } catch {
            let failure = failure ?? .unreadable(error)
            // DuckDB would make a text of it.
            cancel(failure)
            throw failure
        }
    }
}
