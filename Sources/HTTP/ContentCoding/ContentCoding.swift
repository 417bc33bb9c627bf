/// The content codings spoken in both directions.
enum ContentCoding: Sendable, Equatable {
    case gzip
    case zstd

    var token: String {
        switch self {
        case .gzip: "gzip"
        case .zstd: "zstd"
        }
    }

    /// The coding a `Content-Encoding` names; nil for none.
    /// - Throws: `unsupportedContentCoding` for any other, several included.
    static func of(_ field: UnsafeRawBufferPointer) throws(HTTPFailure) -> ContentCoding? {
        let name = ASCII.trimmed(field)
        if name.isEmpty || ASCII.equalWithoutCase(name, "identity") { return nil }
        if ASCII.equalWithoutCase(name, "gzip") || ASCII.equalWithoutCase(name, "x-gzip") { return .gzip }
        if ASCII.equalWithoutCase(name, "zstd") { return .zstd }
        throw .unsupportedContentCoding(ASCII.text(name))
    }

    /// The coding of ours that an `Accept-Encoding` likes best; nil when it likes none better than the plain body.
    static func preferred(in field: UnsafeRawBufferPointer) -> ContentCoding? {
        var zstd: Int?
        var gzip: Int?
        var identity: Int?
        var others = 0
        var start = 0
        while start <= field.count {
            var end = start
            while end < field.count && field[end] != UInt8(ascii: ",") { end += 1 }
            let (name, weight) = weighted(UnsafeRawBufferPointer(rebasing: field[start..<end]))
            if ASCII.equalWithoutCase(name, "zstd") {
                zstd = weight
            } else if ASCII.equalWithoutCase(name, "gzip") || ASCII.equalWithoutCase(name, "x-gzip") {
                gzip = weight
            } else if ASCII.equalWithoutCase(name, "identity") {
                identity = weight
            } else if ASCII.equalWithoutCase(name, "*") {
                others = weight
            }
            start = end + 1
        }
        let zstdWeight = zstd ?? others
        let gzipWeight = gzip ?? others
        let best = max(zstdWeight, gzipWeight)
        guard best > 0, best >= identity ?? 0 else { return nil }
        return zstdWeight == best ? .zstd : .gzip
    }

    /// Takes `gzip;q=0.5` apart; the weight in thousandths, 0 when it makes no sense.
    private static func weighted(_ item: UnsafeRawBufferPointer) -> (
        name: UnsafeRawBufferPointer, weight: Int
    ) {
        var end = 0
        while end < item.count && item[end] != UInt8(ascii: ";") { end += 1 }
        let name = ASCII.trimmed(UnsafeRawBufferPointer(rebasing: item[..<end]))
        guard end < item.count else { return (name, 1000) }
        let parameter = ASCII.trimmed(UnsafeRawBufferPointer(rebasing: item[(end + 1)...]))
        guard parameter.count >= 3, ASCII.hasPrefixWithoutCase(parameter, "q=") else { return (name, 0) }
        var weight = 0
        var unit = 1000
        for (place, byte) in parameter.dropFirst(2).enumerated() {
            if place == 1 {
                guard byte == UInt8(ascii: ".") else { return (name, 0) }
                continue
            }
            guard place < 5, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return (name, 0) }
            weight += Int(byte - UInt8(ascii: "0")) * unit
            unit /= 10
        }
        return (name, min(weight, 1000))
    }
}
