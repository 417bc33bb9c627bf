import HTTP

/// The `Accept` field: which media types a client takes, and which it likes best (RFC 9110, section 12.5.1).
struct Accept {
    private struct Range {
        /// In lower case: `text/html`, `text/*`, `*/*`.
        let essence: String
        let quality: Double

        /// 0 when the range does not cover the type; more where it says more about it.
        func precision(for type: String) -> Int {
            if essence == type { return 3 }
            if essence == "*/*" { return 1 }
            return essence.hasSuffix("/*") && type.hasPrefix(essence.dropLast()) ? 2 : 0
        }
    }

    /// Empty: everything is welcome.
    private let ranges: [Range]

    /// What cannot be read is passed over, as is usual for a field that only expresses wishes.
    init(_ request: Request) { self.init(request.field("Accept") ?? "") }

    init(_ text: String) {
        ranges = text.split(separator: ",").compactMap { element in
            guard let type = MediaType(parsing: String(element)) else { return nil }
            let quality = type.parameters.first { $0.name == "q" }.flatMap { Double($0.value) } ?? 1
            return Range(essence: type.essence, quality: min(max(quality, 0), 1))
        }
    }

    /// The type liked best of those that can be given; of equals the first. Nil when none is acceptable.
    func best(of types: [String]) -> String? {
        var best: (type: String, quality: Double)?
        for type in types {
            let quality = quality(of: type)
            if quality > (best?.quality ?? 0) { best = (type, quality) }
        }
        return best?.type
    }

    /// - Throws: `not_acceptable` naming what there is.
    func choose(_ types: [String]) throws(Problem) -> String {
        guard let type = best(of: types) else {
            throw Problem(.notAcceptable, "this answer can be \(types.joined(separator: ", "))")
        }
        return type
    }

    private func quality(of type: String) -> Double {
        if ranges.isEmpty { return 1 }
        var found: (precision: Int, quality: Double) = (0, 0)
        for range in ranges where range.precision(for: type) > found.precision {
            found = (range.precision(for: type), range.quality)
        }
        return found.quality
    }
}
