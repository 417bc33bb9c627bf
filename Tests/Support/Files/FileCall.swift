/// What may be asked of files, for counting and failing calls.
package enum FileCall: String, Sendable, CaseIterable {
    case open, create, makeDirectory, list, rename, remove, synchroniseDirectory, lock, freeBytes
    case size, read, write, synchronise, map, scratch

    /// Those after which the disk is another: a process killed before any other call leaves what the one before left.
    package static let changing: Set<FileCall> = [
        .create, .makeDirectory, .rename, .remove, .synchroniseDirectory, .write, .synchronise,
    ]
}
