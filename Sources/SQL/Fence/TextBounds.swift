/// Bounds on a query's text: parsing and planning cost memory and time that DuckDB neither counts nor interrupts, some of
/// it with the square of what is chained. Quotes are not looked at: whatever they hold counts as well.
enum TextBounds {
    static let bytesMax = 128 * 1024
    static let depthMax = 100
    static let elementsMax = 10_000
    static let setOperationsMax = 200
    static let conditionsMax = 2000
    /// Together they bound how deep the type of a value can become, step by step through common table expressions.
    static let selectionsMax = 500
    static let parenthesesMax = 5000
    static let literalsMax = 1000

    static func check(_ text: String) throws(SQLFailure) {
        guard text.utf8.count <= bytesMax else {
            throw .refused(
                "the text has \(text.utf8.count) bytes, at most \(bytesMax) are taken: give long values as params"
            )
        }
        guard !text.utf8.contains(0) else { throw .refused("the text holds a NUL byte") }
        var depth = 0
        var commas = 0
        var parentheses = 0
        var literals = 0
        var words: [String: Int] = [:]
        var word: [UInt8] = []
        for byte in text.utf8 {
            let lower = byte | 0x20
            if (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower) {
                if word.count <= 9 { word.append(lower) }
                continue
            }
            if !word.isEmpty {
                words[String(decoding: word, as: UTF8.self), default: 0] += 1
                word.removeAll(keepingCapacity: true)
            }
            switch byte {
            case UInt8(ascii: "("):
                depth += 1
                parentheses += 1
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                literals += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            case UInt8(ascii: ","): commas += 1
            default: break
            }
            if depth > depthMax { throw .refused("brackets are nested more than \(depthMax) deep") }
        }
        func count(_ names: [String]) -> Int { names.reduce(0) { $0 + (words[$1] ?? 0) } }
        if commas > elementsMax {
            throw .refused(
                "the text has more than \(elementsMax) commas: give long lists as a log to join with")
        }
        if parentheses > parenthesesMax || literals > literalsMax {
            throw .refused(
                "the text has more than \(parenthesesMax) parentheses, or \(literalsMax) lists and structs: give them as params or a log"
            )
        }
        if count(["select"]) > selectionsMax {
            throw .refused("the text has more than \(selectionsMax) SELECTs")
        }
        if count(["union", "except", "intersect"]) > setOperationsMax {
            throw .refused("the text has more than \(setOperationsMax) UNION, EXCEPT and INTERSECT")
        }
        if count(["and", "or", "when", "not"]) > conditionsMax {
            throw .refused("the text has more than \(conditionsMax) conditions")
        }
    }
}
