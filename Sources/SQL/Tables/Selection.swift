import DuckDBClient
import StorageEngine

/// Rows of a batch that go into one chunk: a range of them, or some of a range.
struct Selection {
    let range: Range<Int>
    /// In order; empty: all of `range`.
    let rows: [Int32]
    /// Where in the chunk the first of them goes.
    let start: Int

    var count: Int { rows.isEmpty ? range.count : rows.count }

    @inline(__always)
    func forEach(_ body: (_ place: Int, _ row: Int) -> Void) {
        if rows.isEmpty {
            for index in 0..<range.count { body(start &+ index, range.lowerBound &+ index) }
        } else {
            for (index, row) in rows.enumerated() { body(start &+ index, Int(row)) }
        }
    }

    @inline(__always)
    func write<Value: BitwiseCopyable>(
        _ output: OutputChunk, _ column: Int, _ value: (Int) -> Value
    ) {
        let values = output.data(column).assumingMemoryBound(to: Value.self)
        forEach { place, row in values[place] = value(row) }
    }

    /// Milliseconds as microseconds. NULL for nil, and for times beyond what DuckDB's instants hold.
    @inline(__always)
    func writeTimes(_ output: OutputChunk, _ column: Int, _ milliseconds: (Int) -> Int64?) {
        let values = output.data(column).assumingMemoryBound(to: Int64.self)
        let limit = Int64.max / 1000
        var hasNull = false
        forEach { place, row in
            guard let time = milliseconds(row), time < limit, time > -limit else {
                hasNull = true
                values[place] = Int64.min
                return
            }
            values[place] = time &* 1000
        }
        guard hasNull else { return }
        let validity = output.validity(column)
        for place in start..<start + count where values[place] == Int64.min {
            validity[place >> 6] &= ~(1 &<< UInt64(place & 63))
        }
    }

    /// Headers that point at the bytes where they are. NULL for nil.
    @inline(__always)
    func writeTexts(_ output: OutputChunk, _ column: Int, _ bytes: (Int) -> UnsafeRawBufferPointer?) {
        let headers = output.data(column)
        var validity: UnsafeMutablePointer<UInt64>?
        forEach { place, row in
            if let text = bytes(row) {
                TextHeader.write(text, to: headers + place &* TextHeader.byteCount)
                return
            }
            let words = validity ?? output.validity(column)
            validity = words
            words[place >> 6] &= ~(1 &<< UInt64(place & 63))
        }
    }

    /// The same, copied into the chunk: the bytes need not live on.
    func copyTexts(_ output: OutputChunk, _ column: Int, _ bytes: (Int) -> UnsafeRawBufferPointer?) {
        let validity = output.validity(column)
        forEach { place, row in
            if let text = bytes(row) {
                output.setText(text, column, place)
            } else {
                validity[place >> 6] &= ~(1 &<< UInt64(place & 63))
            }
        }
    }
}

extension ExtractedColumn {
    /// - Precondition: it is of texts.
    func copyTexts(_ selection: Selection, to output: OutputChunk, _ column: Int) {
        selection.copyTexts(output, column) { row in
            validity[row >> 6] & (1 &<< UInt64(row & 63)) == 0 ? nil : TextHeader.bytes(at: element(row))
        }
    }

    func copy(_ selection: Selection, to output: OutputChunk, _ column: Int) {
        var target = output.data(column) + selection.start * elementBytes
        if selection.rows.isEmpty {
            forEachStretch(selection.range) { memory, byteCount in
                target.copyMemory(from: memory, byteCount: byteCount)
                target += byteCount
            }
        } else {
            gather(selection.rows, target)
        }
        // DuckDB computes faster over vectors without any NULL.
        if !isFull { copyValidity(selection, output.validity(column)) }
    }

    private func copyValidity(_ selection: Selection, _ target: UnsafeMutablePointer<UInt64>) {
        if selection.start == 0, selection.rows.isEmpty {
            readBits(validity, at: selection.range.lowerBound, count: selection.range.count, into: target)
            return
        }
        selection.forEach { place, row in
            if validity[row >> 6] & (1 &<< UInt64(row & 63)) == 0 {
                target[place >> 6] &= ~(1 &<< UInt64(place & 63))
            }
        }
    }

    private func gather(_ rows: [Int32], _ target: UnsafeMutableRawPointer) {
        switch elementBytes {
        case 1: gather(rows, target, as: UInt8.self)
        case 2: gather(rows, target, as: UInt16.self)
        case 4: gather(rows, target, as: UInt32.self)
        case 8: gather(rows, target, as: UInt64.self)
        default: gather(rows, target, as: SIMD2<UInt64>.self)
        }
    }

    @inline(__always)
    private func gather<Value: BitwiseCopyable>(
        _ rows: [Int32], _ target: UnsafeMutableRawPointer, as type: Value.Type
    ) {
        let target = target.assumingMemoryBound(to: type)
        for (place, row) in rows.enumerated() {
            let piece = pieces.data(Int(row) / Self.pieceRows).assumingMemoryBound(to: type)
            target[place] = piece[Int(row) % Self.pieceRows]
        }
    }
}
