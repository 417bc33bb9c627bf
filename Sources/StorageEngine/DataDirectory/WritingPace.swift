/// Of a file that is written as a whole while others wait for their `fdatasync`.
///
/// The disk does what it is given in about that order: with 64 MiB of a segment before it, the next frame of the write-ahead
/// log, a few KiB, was on disk after a tenth of a second. So a large file is synchronised as it grows.
struct WritingPace {
    /// A disk that writes 500 MB a second is busy with as much for 8 ms.
    static let bytesMax = 4 << 20
    private var bytes = 0

    /// Whether what was written has to be on disk before more is.
    mutating func isPauseDue(after written: Int) -> Bool {
        bytes += written
        guard bytes >= Self.bytesMax else { return false }
        bytes = 0
        return true
    }
}
