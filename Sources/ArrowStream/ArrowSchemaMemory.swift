import CArrow

/// An `ArrowSchema` for a producer to fill. It begins zeroed, which is a released one.
///
/// Not thread-safe.
package final class ArrowSchemaMemory {
    private let schema: UnsafeMutablePointer<ArrowSchema>

    package init() {
        schema = .allocate(capacity: 1)
        schema.initialize(to: ArrowSchema())
    }

    /// Moves a schema here, by the rules of the C data interface: its old place counts as released.
    convenience init(moving source: UnsafeMutablePointer<ArrowSchema>) {
        self.init()
        schema.pointee = source.pointee
        source.pointee.release = nil
    }

    deinit {
        schema.pointee.release?(schema)
        schema.deallocate()
    }

    /// Where a producer fills it. Valid as long as this object, which a local variable keeps only until its
    /// last use: let that be the call of the encoder.
    package var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(schema) }
    package var isReleased: Bool { schema.pointee.release == nil }

    var typed: UnsafePointer<ArrowSchema> { UnsafePointer(schema) }
}
