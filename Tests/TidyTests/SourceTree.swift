import Foundation
import Testing

/// The files of this project as text.
struct SourceTree {
    struct File: Sendable {
        /// From the top of the project.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All files below a folder whose names end so, in order.
    static func files(below folder: String, endings: [String]) -> [File] {
        let root = top.appending(path: folder)
        guard let paths = FileManager.default.enumerator(atPath: root.path) else { return [] }
        var files: [File] = []
        for case let path as String in paths where endings.contains(where: { path.hasSuffix($0) }) {
            // Folders and binary files have no text.
            guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) else {
                continue
            }
            files.append(File(path: "\(folder)/\(path)", text: text))
        }
        return files.sorted { $0.path < $1.path }
    }

    static let swiftSources = files(below: "Sources", endings: [".swift"])

    /// Folders directly below `Sources` that hold Swift.
    static var modules: [String] {
        Set(swiftSources.compactMap { $0.path.split(separator: "/").dropFirst().first.map(String.init) })
            .sorted()
    }

    static func sources(of module: String) -> [File] {
        swiftSources.filter { $0.path.hasPrefix("Sources/\(module)/") }
    }
}
