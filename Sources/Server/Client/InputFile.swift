import Glibc

/// A file named on the command line, or standard input (`-`). Closed when released.
final class InputFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let descriptor: Int32
    let name: String

    init(_ path: String) throws(Failure) {
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        if path == "-", isatty(STDIN_FILENO) == 1 {
            StandardStreams.complain("Reading from the terminal; Ctrl-D ends.")
        }
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// All of it. - Throws: when it cannot be read, or is not UTF-8.
    func readText() throws(Failure) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw Failure(description: "\(name): \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(description: "\(name) is not UTF-8")
        }
        return text
    }

    /// Of a regular file; nil for pipes and terminals.
    var length: Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }
}
