import Foundation
import Glibc
import Testing

/// The real `pyralog`, run as a user would run it.
final class Executable {
    struct Ended {
        let code: Int32
        let output: String
        let errors: String
    }

    /// Beside the test bundle that runs this.
    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "pyralog").path

    private let process = Process()
    private let output = Pipe()
    private let errors: URL
    private var unread = Data()

    private init(_ arguments: [String], environment: [String: String], input: Data?) throws {
        errors = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        process.executableURL = URL(filePath: Self.path)
        process.arguments = arguments
        process.environment = environment
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        if let input {
            let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try input.write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
            try FileManager.default.removeItem(at: file)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try Self.withoutBlockedSignals { try process.run() }
    }

    /// A child inherits the mask of the thread that starts it, and tests run on threads that block most signals.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    deinit {
        if process.isRunning { process.terminate() }
        try? FileManager.default.removeItem(at: errors)
    }

    /// Runs to the end.
    static func run(_ arguments: [String], environment: [String: String] = [:], input: Data? = nil) throws
        -> Ended
    {
        try Executable(arguments, environment: environment, input: input).end()
    }

    /// Starts, and does not wait.
    static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Executable {
        try Executable(arguments, environment: environment, input: nil)
    }

    /// The next line of standard output; nil at its end.
    func line() throws -> String? {
        while true {
            if let newline = unread.firstIndex(of: 0x0A) {
                defer { unread.removeSubrange(...newline) }
                return String(decoding: unread[..<newline], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            unread.append(more)
        }
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until standard error has a line with this text.
    func waitForError(_ text: String) throws {
        for _ in 0..<600 {
            if try errorText().contains(text) { return }
            usleep(50_000)
        }
        Issue.record("\"\(text)\" never came: \(try errorText())")
    }

    func errorText() throws -> String { try String(contentsOf: errors, encoding: .utf8) }

    /// Waits for the end.
    func end() throws -> Ended {
        unread.append(output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        let code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return Ended(code: code, output: String(decoding: unread, as: UTF8.self), errors: try errorText())
    }
}
