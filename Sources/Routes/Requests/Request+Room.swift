import HTTP
import StorageEngine

extension Services {
    /// Refuses a write before its body is read when its announced length could never fit: nothing gives way for it then.
    ///
    /// A body without a length, and whatever the columns need beside it, is for the engine to judge.
    ///
    /// - Parameter limit: of the route; beyond it the body is refused for its size.
    func checkRoom(for request: Request, in log: String, limit: Int) throws {
        guard let announced = request.announcedBytes, announced > 0,
            announced <= limit
        else { return }
        try engine.checkCanFit(bytes: announced, inLog: log)
    }
}
