import ArgumentParser
import JSON
import StorageEngine

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify every byte of a data directory.",
        discussion: """
            Reads only; no server may use the directory meanwhile. The report is JSON on standard output. The exit code is \
            0 when all is well, 1 when something is damaged, 74 when the directory cannot be read.
            """)

    @Argument(help: "The data directory")
    var directory: String

    private static let damaged: Int32 = 1

    func run() throws {
        let check: DirectoryCheck
        do throws(StorageFailure) {
            guard DataDirectory.exists(directory) else {
                throw StorageFailure(path: directory, reason: "there is no data directory here")
            }
            check = try DirectoryCheck(DataDirectory(directory))
        } catch {
            StandardStreams.complain("pyralog: \(error)")
            throw ExitCode(StartFailure.Kind.storage.rawValue)
        }
        StandardStreams.print(String(decoding: ControlJSON.serialize(report(check)), as: UTF8.self))
        if !check.damage.isEmpty { throw ExitCode(Self.damaged) }
    }

    private func report(_ check: DirectoryCheck) -> JSONValue {
        let damage = check.damage.map { failure in
            JSONValue.object([
                .init("file", .string(failure.path)),
                .init("position", failure.position.map { .integer(Int64($0)) } ?? .null),
                .init("reason", .string(failure.reason)),
            ])
        }
        let counts: [(String, Int)] = [
            ("files", check.files), ("bytes", check.bytes), ("logs", check.logs), ("batches", check.batches),
            ("records", check.records), ("frames", check.frames), ("torn_frames", check.tornFrames),
            ("unneeded_segments", check.unneededSegments),
        ]
        return .object(
            [.init("directory", .string(directory)), .init("sound", .bool(check.damage.isEmpty))]
                + counts.map { .init($0.0, .integer(Int64($0.1))) } + [.init("damage", .array(damage))])
    }
}
