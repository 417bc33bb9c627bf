import Glibc

/// Where rows go: standard output, or a file that has its name only once it is complete.
final class OutputFile {
    private let descriptor: Int32
    private let path: String?
    /// The name it has meanwhile; nil when it is written in place.
    private let partialPath: String?
    private var isFinished = false
    private var failure: InputFile.Failure?

    /// - Parameter path: nil or `-` for standard output.
    init(_ path: String?) throws(InputFile.Failure) {
        guard let path, path != "-" else {
            descriptor = STDOUT_FILENO
            self.path = nil
            partialPath = nil
            return
        }
        // A device, a pipe or a link, which may lead to one, must not be replaced.
        partialPath = Self.isSpecial(path) ? nil : path + ".partial"
        self.path = path
        descriptor = open(partialPath ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure(partialPath ?? path) }
    }

    deinit {
        if descriptor > STDOUT_FILENO { close(descriptor) }
        if !isFinished, descriptor >= 0, let partialPath { unlink(partialPath) }
    }

    /// - Returns: false when nothing more can be written: the reader has gone, or `finish` tells what is wrong.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if failure != nil { return false }
        if StandardStreams.write(bytes, to: descriptor) { return true }
        if errno != EPIPE { failure = Self.failure(path ?? "standard output") }
        return false
    }

    func write(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes { write($0) } }

    /// It is complete. - Parameter isDurable: also after a loss of power. - Throws: when it could not be written.
    func finish(isDurable: Bool = false) throws(InputFile.Failure) {
        if let failure { throw failure }
        if isDurable, let partialPath, fsync(descriptor) != 0 { throw Self.failure(partialPath) }
        if let path, let partialPath, rename(partialPath, path) != 0 { throw Self.failure(path) }
        isFinished = true
    }

    private static func isSpecial(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    private static func failure(_ path: String) -> InputFile.Failure {
        InputFile.Failure(description: "\(path): \(String(cString: strerror(errno)))")
    }
}
