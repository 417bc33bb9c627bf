import CPlatform
import Glibc

/// An operating-system pipe. Each end is closed once, by the calls or with the last reference.
package final class BytePipe: @unchecked Sendable {
    // Sendable: a thread reads and another one writes; closing is guarded.
    package let writeEnd: Int32
    private let readEnd: Int32
    private let open = Lock((reading: true, writing: true))

    package init() throws(SystemFailure) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { pyra_pipe($0) }
        }
        guard result == 0 else { throw SystemFailure("a pipe cannot be made", errno) }
        (readEnd, writeEnd) = ends
    }

    deinit {
        closeReadEnd()
        closeWriteEnd()
    }

    /// - Returns: 0 at the end, below 0 on a failure.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(readEnd, buffer.baseAddress, buffer.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    package func closeReadEnd() {
        if open.withLock({ take(&$0.reading) }) { close(readEnd) }
    }

    package func closeWriteEnd() {
        if open.withLock({ take(&$0.writing) }) { close(writeEnd) }
    }

    private func take(_ flag: inout Bool) -> Bool {
        defer { flag = false }
        return flag
    }
}

/// What the operating system refused.
package struct SystemFailure: Error, CustomStringConvertible {
    package let description: String
    init(_ what: String, _ code: Int32) { description = "\(what): \(String(cString: strerror(code)))" }
}
