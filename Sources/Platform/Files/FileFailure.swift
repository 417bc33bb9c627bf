import Glibc

/// A call on files that the operating system refused.
package struct FileFailure: Error, Equatable, CustomStringConvertible {
    package let operation: String
    package let path: String
    /// `errno`.
    package let code: Int32

    package init(_ operation: String, _ path: String, _ code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    package var description: String { "\(operation) \(path): \(Self.text(of: code))" }
}

extension FileFailure {
    /// The file is shorter than it was taken to be.
    package static let endOfFile: Int32 = -1
    /// The write-ahead log, on which this depends, has failed before.
    package static let logFailed: Int32 = -2

    /// What a limit of our own says, in the words of the system.
    package static func noSpace(_ path: String) -> FileFailure { FileFailure("make", path, ENOSPC) }

    package var isNoSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
    /// The same call may succeed later: something is used up that comes back.
    package var mayPass: Bool { isNoSpace || [EMFILE, ENFILE, ENOMEM, EAGAIN].contains(code) }
    package var isMissing: Bool { code == ENOENT }
    package var isLocked: Bool { code == EWOULDBLOCK }

    static func text(of code: Int32) -> String {
        switch code {
        case endOfFile: "the file ends too early"
        case logFailed: "the write-ahead log has failed before"
        default: String(cString: strerror(code))
        }
    }
}
