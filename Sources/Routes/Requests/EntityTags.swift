import HTTP
import StorageEngine

/// The value of `If-Match` or `If-None-Match`: `*`, or a list of entity tags (RFC 9110, section 13.1).
enum EntityTags: Equatable {
    case any
    case list([Tag])

    struct Tag: Equatable {
        /// Nil for a tag that none of our answers ever carried: it matches nothing.
        let revision: Revision?
        let isWeak: Bool
    }

    /// - Throws: `invalid_argument` for what is no list of quoted tags.
    init?(_ request: Request, _ field: StaticString) throws(Problem) {
        guard let text = request.field(field) else { return nil }
        guard let parsed = EntityTags(parsing: text) else {
            throw .invalidArgument(
                "\(field)", "must be * or entity tags in double quotes, such as \"0-17-9f3a11c2\"")
        }
        self = parsed
    }

    init?(parsing text: String) {
        var scanner = FieldScanner(text)
        scanner.skipBlanks()
        if scanner.skip("*") {
            scanner.skipBlanks()
            guard scanner.isAtEnd else { return nil }
            self = .any
            return
        }
        var tags: [Tag] = []
        while !scanner.isAtEnd {
            scanner.skipBlanks()
            if scanner.skip(",") { continue }
            if scanner.isAtEnd { break }
            let isWeak = scanner.skip("W")
            if isWeak, !scanner.skip("/") { return nil }
            guard let opaque = scanner.opaqueTag() else { return nil }
            tags.append(Tag(revision: Revision(parsing: opaque), isWeak: isWeak))
            scanner.skipBlanks()
            guard scanner.isAtEnd || scanner.isAt(",") else { return nil }
        }
        guard !tags.isEmpty else { return nil }
        self = .list(tags)
    }

    /// A weak tag never matches strongly.
    var strongRevisions: [Revision] {
        guard case .list(let tags) = self else { return [] }
        return tags.compactMap { $0.isWeak ? nil : $0.revision }
    }

    /// Compared weakly, `W/` makes no difference.
    var weakRevisions: [Revision] {
        guard case .list(let tags) = self else { return [] }
        return tags.compactMap(\.revision)
    }
}
