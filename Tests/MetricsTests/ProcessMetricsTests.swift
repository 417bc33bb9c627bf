import Foundation
import Metrics
import Testing

@Suite("The figures of the process itself")
struct ProcessMetricsTests {
    @Test("each is there and plausible")
    func plausible() throws {
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry, startedAt: 1_500)
        let text = String(decoding: registry.render(.prometheusText), as: UTF8.self)
        func value(_ name: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }, "\(name)")
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_start_time_seconds") == 1.5)
        #expect(try value("process_cpu_seconds_total") > 0)
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_max_fds") >= value("process_open_fds"))
        #expect(try value("process_open_fds") >= 3)
    }

    @Test("an open file is counted, and a closed one no longer")
    func openFiles() throws {
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry, startedAt: 0)
        func openFiles() throws -> Int {
            let text = String(decoding: registry.render(.prometheusText), as: UTF8.self)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("process_open_fds ") })
            return try #require(Int(line.split(separator: " ")[1]))
        }
        // Other tests of this process open files too: many are needed to see ours.
        let before = try openFiles()
        let files = (0..<200).map { _ in Pipe() }
        #expect(try openFiles() >= before + 200)
        withExtendedLifetime(files) {}
    }
}
