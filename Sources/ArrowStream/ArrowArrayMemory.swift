import CArrow

/// An `ArrowArray` for a producer to fill. It begins zeroed, which is a released one.
///
/// Once an encoder has moved the array out of it, a producer may fill it again. Not thread-safe.
package final class ArrowArrayMemory {
    private let array: UnsafeMutablePointer<ArrowArray>

    package init() {
        array = .allocate(capacity: 1)
        array.initialize(to: ArrowArray())
    }

    /// Moves an array here, by the rules of the C data interface: its old place counts as released.
    convenience init(moving source: UnsafeMutablePointer<ArrowArray>) {
        self.init()
        array.pointee = source.pointee
        source.pointee.release = nil
    }

    deinit {
        array.pointee.release?(array)
        array.deallocate()
    }

    /// Where a producer fills it. Valid as long as this object, which a local variable keeps only until its
    /// last use: let that be the call of the encoder.
    package var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(array) }
    package var isReleased: Bool { array.pointee.release == nil }

    var typed: UnsafePointer<ArrowArray> { UnsafePointer(array) }
}
