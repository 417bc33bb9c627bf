import Glibc

/// Unbuffered standard output and error.
enum StandardStreams {
    /// A line on standard output.
    static func print(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

    /// A line on standard error.
    static func complain(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    /// - Returns: false when the reader has gone.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        Array(text.utf8).withUnsafeBytes { write($0, to: descriptor) }
    }

    /// - Returns: false when the reader has gone.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
