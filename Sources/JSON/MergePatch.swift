/// RFC 7396 on texts: members that the patch does not name keep their exact bytes and order; new ones come last.
package enum MergePatch {
    /// - Throws: `RecordFailure` whose `item` is 0 when the target is no JSON text, 1 when the patch is at fault
    ///   (which must not name a member twice). The result is at most as deep as the deeper of the two.
    package static func apply(
        target: UnsafeRawBufferPointer, patch: UnsafeRawBufferPointer, using parser: RecordParser
    ) throws(RecordFailure) -> [UInt8] {
        try parser.merge(target: target, patch: patch)
    }
}
