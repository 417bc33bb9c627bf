import HTTP
import StorageEngine

/// Names of logs in requests.
enum LogName {
    /// - Throws: `invalid_argument` saying what a name may be.
    static func parse(_ bytes: [UInt8], field: String = "log") throws(Problem) -> String {
        guard LogNames.isValid(bytes) else {
            throw .invalidArgument(
                field,
                "a name has 1 to \(LogNames.bytesMax) letters, digits, '.', '_' or '-' and begins with none of '.-'"
            )
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Request {
    /// The `index`-th capture of the route's pattern.
    func parameter(_ index: Int) throws(Problem) -> [UInt8] {
        guard parameters.indices.contains(index) else {
            throw Problem(.internal, "the route has no parameter \(index)")
        }
        return parameters[index]
    }

    /// The name of the log in the path, which is the first capture.
    func logName() throws(Problem) -> String { try LogName.parse(parameter(0)) }
}

extension Services {
    /// The log of the path.
    ///
    /// - Throws: `log_not_found`, `invalid_argument`.
    func existingLog(_ request: Request) throws(Problem) -> Log {
        try existingLog(named: request.logName())
    }

    func existingLog(named name: String) throws(Problem) -> Log {
        guard let log = engine.log(named: name) else { throw .logNotFound(name) }
        return log
    }

    /// The log of the path, created by this write unless that is configured off.
    func logForWriting(_ request: Request, compaction: LogConfiguration.Compaction) throws -> Log {
        let name = try request.logName()
        guard createsLogs else { return try existingLog(named: name) }
        return try engine.logForWriting(named: name, compaction: compaction, defaults: logDefaults)
    }
}
