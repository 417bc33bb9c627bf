import Foundation
import Platform
import StorageEngine
import Support

/// A data directory as format version 1 wrote it, and one with an archive, as version 2 did, kept as text beside the tests.
///
/// To write them anew, which only a new format version may need:
/// `PYRALOG_WRITE_GOLDEN=1 swift test --disable-xctest --filter FormatTests`, and for the other `ArchiveGoldenTests`
enum GoldenFiles {
    private static func directory(_ version: Int) -> String {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + (parts + ["Golden", "version-\(version)"]).joined(separator: "/")
    }
    static let isWriting = ProcessInfo.processInfo.environment["PYRALOG_WRITE_GOLDEN"] != nil
    /// Beside `/data` in the names.
    private static let suffix = ".hex"
    private static let lineBytes = 48

    static func read(version: Int = 1) throws -> MemoryFiles {
        let directory = directory(version)
        let disk = MemoryFiles()
        let manager = FileManager.default
        for case let name as String in manager.enumerator(atPath: directory) ?? .init()
        where name.hasSuffix(suffix) {
            let text = try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
            disk.makeDirectories(for: "/data/\(name)")
            disk.put("/data/\(name.dropLast(suffix.count))", bytes(of: text))
        }
        return disk
    }

    static func write(_ disk: MemoryFiles, version: Int = 1) throws {
        let directory = directory(version)
        let manager = FileManager.default
        if manager.fileExists(atPath: directory) { try manager.removeItem(atPath: directory) }
        for path in disk.paths where !path.hasSuffix("/LOCK") {
            guard let content = disk.content(of: path), content.contains(where: { $0 != 0 }) else { continue }
            let file = URL(filePath: "\(directory)/\(path.dropFirst("/data/".count))\(suffix)")
            try manager.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text(of: content).write(to: file, atomically: true, encoding: .utf8)
        }
    }

    /// The length, then lines of bytes; zeros at the end are left out.
    private static func text(of content: [UInt8]) -> String {
        let used = (content.lastIndex { $0 != 0 } ?? -1) + 1
        var text = "\(content.count)\n"
        for start in stride(from: 0, to: used, by: lineBytes) {
            for byte in content[start..<min(used, start + lineBytes)] {
                text += byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
            }
            text += "\n"
        }
        return text
    }

    private static func bytes(of text: String) -> [UInt8] {
        let lines = text.split(separator: "\n")
        var bytes: [UInt8] = []
        for line in lines.dropFirst() {
            let digits = Array(line.utf8)
            for place in stride(from: 0, to: digits.count - 1, by: 2) {
                bytes.append(
                    UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) ?? 0)
            }
        }
        let count = lines.first.flatMap { Int($0) } ?? 0
        return bytes + [UInt8](repeating: 0, count: max(0, count - bytes.count))
    }
}

extension MemoryFiles {
    fileprivate func makeDirectories(for path: String) {
        var place = ""
        for part in path.split(separator: "/").dropLast() {
            place += "/\(part)"
            // It fails only without its parent, which was made before.
            try? makeDirectory(place)
        }
    }
}
