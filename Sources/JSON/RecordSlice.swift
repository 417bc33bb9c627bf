import CSimdJSON

/// Where bytes lie: in the parsed text, or decoded in the parser's scratch. Has the layout of `pyra_json_slice`.
package struct RecordSlice: Sendable, Equatable {
    let word: UInt32
    package let count: UInt32

    @inline(__always) package var isAbsent: Bool { word == UInt32.max }
    @inline(__always) package var isScratch: Bool { word & 0x8000_0000 != 0 }
    @inline(__always) package var start: UInt32 { word & 0x7FFF_FFFF }

    init(_ slice: pyra_json_slice) {
        word = slice.word
        count = slice.count
    }
}
