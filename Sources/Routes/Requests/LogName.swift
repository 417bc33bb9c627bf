import HTTP
import StorageEngine

/// Names of logs: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
enum LogName {
    static let bytesMax = 128

    /// - Throws: `invalid_argument` saying what a name may be.
    static func parse(_ bytes: [UInt8], field: String = "log") throws(Problem) -> String {
        guard isValid(bytes) else {
            throw .invalidArgument(
                field,
                "a name has 1 to \(bytesMax) letters, digits, '.', '_' or '-' and begins with none of '.-'")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Compared as bytes: strings that look equal to Swift may differ for a client.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, bytes.count <= bytesMax else { return false }
        guard first != UInt8(ascii: "."), first != UInt8(ascii: "-") else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
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
