/// The clock was there when the frames up to `upTo` had been written, and rows on disk that no frame has. What had expired
/// by then stays gone, though the clock is set back: somebody may have seen that it was gone.
///
/// What is written behind a clock that was set back lies behind `upTo`, and is judged by the new time.
struct SeenTime: Equatable {
    var time = Int64.min
    var upTo = LSN.zero
}

extension PartitionState {
    /// What had expired by `time`.
    mutating func expire(by time: Int64) {
        for position in 0..<list.count where list.headers[position].pointee.earliestDeadline <= time {
            guard let deadlines = list.headers[position].pointee.deadlines else { continue }
            for row in 0..<list.headers[position].pointee.rows where deadlines[row] <= time {
                kill(row, position: position)
            }
        }
        chargeIndex()
    }

    /// What had expired when a later row arrived. - Complexity: O(rows), if any has a deadline.
    mutating func expireOutlived() {
        guard earliestDeadline() != Deadline.never else { return }
        var latest = Int64.min
        for position in (0..<list.count).reversed() {
            let header = list.headers[position]
            let deadlines = header.pointee.deadlines
            for row in (0..<header.pointee.rows).reversed() {
                latest = max(latest, header.pointee.arrival(row))
                if let deadlines, deadlines[row] <= latest { kill(row, position: position) }
            }
        }
        chargeIndex()
    }
}
