import Foundation
import Testing

@testable import ObjectStorage

/// The S3 server and the proxy of the end-to-end tests, as a child that ends with this process.
final class ObjectServers: @unchecked Sendable {
    // Sendable: orders are given and answered under `lock`.
    struct Places: Decodable {
        let port: Int
        let proxyPort: Int
        let accessKey: String
        let secretKey: String
        let data: String
        let authorityFile: String
    }

    /// Paths tell the requests of tests apart that run at the same time.
    static let plain = Result { try ObjectServers([]) }
    static let encrypted = Result { try ObjectServers(["--https", "--virtual-host"]) }

    let places: Places
    private let process = Process()
    private let orders = Pipe()
    private let answers: FileHandle
    private let lock = NSLock()

    private init(_ arguments: [String]) throws {
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let output = Pipe()
        // Not resolved: the interpreter finds its environment by the name it is called by.
        process.executableURL = URL(filePath: top.path + "/.deps/venv/bin/python")
        process.arguments = ["-m", "support.objects"] + arguments
        process.currentDirectoryURL = top.appending(path: "Tests/EndToEndTests")
        process.standardInput = orders
        process.standardOutput = output
        answers = output.fileHandleForReading
        do {
            try process.run()
        } catch {
            Issue.record("no S3 server to test with: scripts/bootstrap --tests installs it")
            throw error
        }
        places = try JSONDecoder().decode(Places.self, from: Self.line(answers))
    }

    func configuration(isProxied: Bool = false) -> S3Configuration {
        var configuration = S3Configuration(
            accessKeyID: places.accessKey, secretAccessKey: places.secretKey)
        configuration.endpoint = "http://localhost:\(isProxied ? places.proxyPort : places.port)"
        configuration.retries.delayMillisecondsFirst = 1
        configuration.stallSeconds = 1
        return configuration
    }

    func store(
        _ prefix: String, isProxied: Bool = false, change: (inout S3Configuration) -> Void = { _ in }
    ) throws -> S3Store {
        var configuration = configuration(isProxied: isProxied)
        change(&configuration)
        return try S3Store(bucket: "bucket", prefix: prefix, configuration)
    }

    /// What the server has stored, past all of what is tested here.
    func stored(_ path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(places.data)/\(path)").map { Array($0) }
    }

    /// - Parameter options: the fields of `Fault` beside its kind.
    func fault(_ kind: String, path: String, _ options: [String: any Sendable] = [:]) throws {
        var fault: [String: Any] = options
        fault["kind"] = kind
        fault["path"] = path
        _ = try order(["fault": fault])
    }

    /// How many requests the proxy has seen.
    func count(_ method: String, _ path: String) throws -> Int { try order(["count": [method, path]]) }

    private func order(_ order: [String: Any]) throws -> Int {
        try lock.withLock {
            let text = try JSONSerialization.data(withJSONObject: order)
            try orders.fileHandleForWriting.write(contentsOf: text + Data("\n".utf8))
            return try JSONDecoder().decode(Int.self, from: Self.line(answers))
        }
    }

    private static func line(_ handle: FileHandle) throws -> Data {
        var line = Data()
        while let byte = try handle.read(upToCount: 1), byte != Data("\n".utf8) { line += byte }
        return line
    }
}

/// Bytes that differ from place to place, the same for the same seed.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { fill($0, from: 0, seed: seed) }
    return bytes
}

func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int, seed: UInt64) {
    for index in buffer.indices {
        let place = UInt64(offset + index)
        var word = (place >> 3 &+ seed) &* 0x9E37_79B9_7F4A_7C15
        word ^= word >> 29
        buffer[index] = UInt8(truncatingIfNeeded: word >> (8 * (place & 7)))
    }
}

extension ObjectStore {
    func whole(_ key: String, range: Range<Int>? = nil) throws(ObjectStoreFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        try get(key, range: range) { bytes.append(contentsOf: $0) }
        return bytes
    }

    func keys(_ prefix: String = "") throws(ObjectStoreFailure) -> [String] {
        var keys: [String] = []
        try list(prefix: prefix) { keys += $0.map(\.key) }
        return keys
    }
}
