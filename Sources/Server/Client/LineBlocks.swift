import Glibc

/// Cuts an input into blocks of whole lines: as large as they may be while the input keeps coming, and what is
/// there as soon as it pauses, so that a pipe that runs for days is passed on as it writes.
struct LineBlocks {
    /// Below the server's limit for what it applies as one.
    static let blockBytes = 4 << 20
    private static let pauseMilliseconds: Int32 = 100

    private let input: InputFile
    private let blockBytes: Int
    private var pending: [UInt8] = []
    /// Where the last whole line in `pending` ends.
    private var completeEnd = 0
    private var isAtEnd = false

    init(_ input: InputFile, blockBytes: Int = Self.blockBytes) {
        self.input = input
        self.blockBytes = blockBytes
    }

    /// - Returns: at least one line, the last one of the input perhaps without its newline; nil at the end.
    mutating func next() throws(InputFile.Failure) -> [UInt8]? {
        while true {
            if completeEnd > 0, isAtEnd || pending.count >= blockBytes || !isReadable() {
                return take(completeEnd)
            }
            if isAtEnd { return pending.isEmpty ? nil : take(pending.count) }
            try fill()
        }
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        let block = Array(pending[..<count])
        pending.removeFirst(count)
        completeEnd = 0
        return block
    }

    private func isReadable() -> Bool {
        var state = pollfd(fd: input.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, Self.pauseMilliseconds) != 0
    }

    private mutating func fill() throws(InputFile.Failure) {
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        let count = read(input.descriptor, &chunk, chunk.count)
        if count < 0 {
            if errno == EINTR { return }
            throw InputFile.Failure(description: "\(input.name): \(String(cString: strerror(errno)))")
        }
        isAtEnd = count == 0
        if let newline = chunk[..<count].lastIndex(of: 0x0A) { completeEnd = pending.count + newline + 1 }
        pending.append(contentsOf: chunk[..<count])
    }
}
