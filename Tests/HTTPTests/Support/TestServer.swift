import Metrics
import Platform

@testable import HTTP

/// A real server on a free port, stopped with the object.
final class TestServer {
    let server: HTTPServer
    let metrics = MetricsRegistry()
    var port: UInt16 { server.port }

    init(_ routes: [Route] = [], _ configure: (inout HTTPConfiguration) -> Void = { _ in }) throws {
        var configuration = HTTPConfiguration()
        configuration.port = 0
        configuration.threads = 2
        configure(&configuration)
        let router = Router(routes: routes + Self.common, problem: EchoRoutes.problem)
        server = try HTTPServer(configuration: configuration, router: router, metrics: metrics)
    }

    deinit { server.stop(graceMilliseconds: 0) }

    func connect() throws -> RawClient { try RawClient(port: port) }

    /// The value of a metric's line, such as `pyralog_http_connections`.
    func metric(_ name: String) -> Double? {
        let text = String(decoding: metrics.render(.prometheusText), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix(name + " ") {
            return Double(line.dropFirst(name.count + 1))
        }
        return nil
    }

    /// `GET /`, `GET /bytes/{count}`, `GET` and `PUT /echo/{key}`.
    static let common: [Route] = [
        Route(.get, "/") { _ in
            .now(Response(status: 200, contentType: "text/plain", body: .bytes(Array("hello".utf8))))
        },
        Route(.get, "/bytes/{count}") { request in
            let count = Int(String(decoding: request.parameters[0], as: UTF8.self)) ?? 0
            return .now(Response(status: 200, contentType: "text/plain", body: .bytes(pattern(count))))
        },
        Route(.get, "/echo/{key}") { request in
            .now(Response(status: 200, body: .bytes(EchoRoutes.understood(request))))
        },
        Route(.put, "/echo/{key}", body: { _ in .buffered(limit: 1 << 20, what: "test body") }) { request in
            .now(Response(status: 200, body: .bytes(request.body.array)))
        },
    ]

    static func pattern(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index &* 31 ^ index >> 8) }
            written = count
        }
    }

    /// Waits until something that another thread is about to do has been done.
    static func eventually(_ condition: () -> Bool) -> Bool {
        let wakeUp = WakeUp()
        for _ in 0..<4000 {
            if condition() { return true }
            wakeUp.wait(since: wakeUp.generation, timeoutNanoseconds: 5_000_000)
        }
        return condition()
    }
}
