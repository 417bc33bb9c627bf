import Foundation

/// A directory that is gone with its last reference.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        path = FileManager.default.temporaryDirectory.appending(path: "pyralog-\(UUID().uuidString)").path
    }

    deinit {
        // What is left goes with the machine's temporary files.
        try? FileManager.default.removeItem(atPath: path)
    }
}
