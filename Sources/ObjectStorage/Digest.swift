import CCrypto

/// SHA-256 by libcrypto, which uses the machine's instructions for it. Not thread-safe.
package struct SHA256: ~Copyable {
    private let context: DigestContext

    package init() {
        guard let context = DigestContext(EVP_sha256()) else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        self.context = context
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) { context.update(bytes) }
    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { context.update($0) } }

    /// The digest of all bytes; 32 bytes.
    package consuming func finish() -> [UInt8] { context.finish() }

    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        var digest = SHA256()
        digest.update(bytes)
        return digest.finish()
    }
}

/// One computation of libcrypto.
final class DigestContext {
    private let context: OpaquePointer

    /// Nil where libcrypto does not give it, as MD5 where a machine is told to use approved algorithms only.
    init?(_ algorithm: OpaquePointer?) {
        guard let algorithm, let context = EVP_MD_CTX_new() else { return nil }
        guard EVP_DigestInit_ex(context, algorithm, nil) == 1 else {
            EVP_MD_CTX_free(context)
            return nil
        }
        self.context = context
    }

    static func md5() -> DigestContext? { DigestContext(EVP_md5()) }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        let code = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(code == 1, "libcrypto could not go on with a digest")
    }

    func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let code = EVP_DigestFinal_ex(context, &digest, &count)
        precondition(code == 1, "libcrypto could not finish a digest")
        return Array(digest.prefix(Int(count)))
    }
}

/// Digests as text.
package enum DigestText {
    package static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func base64(_ bytes: [UInt8]) -> String {
        // Three bytes make four characters, and the end a terminating zero.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}
