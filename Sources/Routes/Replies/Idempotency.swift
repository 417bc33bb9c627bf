import HTTP
import Platform
import StorageEngine

/// `Idempotency-Key`: a retry of a writing POST is answered with the first answer, and not done again.
struct Idempotency: Sendable {
    let services: Services

    static let keyBytesMax = 255
    /// How long a request waits for its twin before it is told to come back.
    private static let twinWaitMilliseconds: Int64 = 30_000

    /// Runs `work` unless a request with the same key was answered already.
    ///
    /// - Parameters:
    ///   - body: what must be equal in a retry, besides the query.
    ///   - work: may run later and on another thread. It is given the claim whose receipt has to become durable with
    ///     what it writes; nil without a key.
    func perform(
        _ request: Request, body: UnsafeRawBufferPointer, _ work: @escaping IdempotentAttempt.Work
    ) throws -> Reply {
        guard let key = try Self.key(of: request) else { return try work(nil).reply(to: request) }
        let attempt = IdempotentAttempt(
            services: services, request: request, scope: Self.scope(request, key),
            bodyDigest: Self.digest(body, query: request.target), work: work)
        return attempt.start(waitMilliseconds: Self.twinWaitMilliseconds)
    }

    /// - Throws: `invalid_argument` unless it has 1 to 255 visible ASCII characters.
    static func key(of request: Request) throws(Problem) -> String? {
        guard let key = request.field("Idempotency-Key") else { return nil }
        let isVisible = key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard isVisible, (1...keyBytesMax).contains(key.utf8.count) else {
            throw .invalidArgument(
                "Idempotency-Key", "must have 1 to \(keyBytesMax) visible ASCII characters, no blanks")
        }
        return key
    }

    private static func scope(_ request: Request, _ key: String) -> [UInt8] {
        let path = request.target.prefix { $0 != UInt8(ascii: "?") }
        return Array(request.method.rawValue.utf8) + [0] + path + [0] + Array(key.utf8)
    }

    /// 128 bits: two halves of XXH3 under different seeds.
    private static func digest(_ body: UnsafeRawBufferPointer, query target: [UInt8]) -> [UInt8] {
        let query = Array(target.drop { $0 != UInt8(ascii: "?") })
        return [1, 2].flatMap { (seed: UInt64) -> [UInt8] in
            let querySeed = query.withUnsafeBytes { xxh3($0, seed: seed) }
            let hash = xxh3(body, seed: querySeed)
            return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
        }
    }
}
