import DuckDBClient
import JSON

/// Turns the rows of a result into the bytes of an answer.
protocol ResultEncoder: AnyObject {
    /// What has been encoded and not yet taken.
    func takeBytes() -> [UInt8]
    func begin(_ result: ResultStream) throws(SQLFailure)
    func add(_ chunk: Chunk, _ rows: Range<Int>) throws(SQLFailure)
    func end(rows: Int, elapsedMilliseconds: Double) throws(SQLFailure)
}
