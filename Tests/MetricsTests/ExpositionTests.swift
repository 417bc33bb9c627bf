import Foundation
import Metrics
import Testing

@Suite("What a scrape reads")
struct ExpositionTests {
    let registry = MetricsRegistry()

    private func text(_ format: MetricsRegistry.Format) -> String {
        String(decoding: registry.render(format), as: UTF8.self)
    }

    private func fill() {
        registry.counter("z_requests_total", help: "Answered \"requests\".", labels: [.init("status", "200")])
            .add(2)
        registry.counter("z_requests_total", help: "Answered \"requests\".", labels: [.init("status", "104")])
            .add()
        let histogram = registry.histogram(
            "d_seconds", help: "Time taken.", labels: [.init("route", "/")], buckets: [0.25, 1])
        for value in [0.125, 0.5, 4] { histogram.observe(value) }
        registry.collect("b_bytes", help: "Memory.\nBy log.", kind: .gauge) {
            [.init([.init("log", "q\"\\\n")], 1.5), .init([.init("log", "a")], 3)]
        }
    }

    @Test("the Prometheus text format, families and samples in order")
    func prometheusText() {
        fill()
        #expect(
            text(.prometheusText) == #"""
                # HELP b_bytes Memory.\nBy log.
                # TYPE b_bytes gauge
                b_bytes{log="a"} 3
                b_bytes{log="q\"\\\n"} 1.5
                # HELP d_seconds Time taken.
                # TYPE d_seconds histogram
                d_seconds_bucket{route="/",le="0.25"} 1
                d_seconds_bucket{route="/",le="1.0"} 2
                d_seconds_bucket{route="/",le="+Inf"} 3
                d_seconds_sum{route="/"} 4.625
                d_seconds_count{route="/"} 3
                # HELP z_requests_total Answered "requests".
                # TYPE z_requests_total counter
                z_requests_total{status="104"} 1
                z_requests_total{status="200"} 2

                """#)
    }

    @Test("OpenMetrics names a counter's family without _total, escapes quotes in help, and ends in EOF")
    func openMetrics() {
        fill()
        let text = text(.openMetrics)
        #expect(
            text.hasSuffix(
                #"""
                # HELP z_requests Answered \"requests\".
                # TYPE z_requests counter
                z_requests_total{status="104"} 1
                z_requests_total{status="200"} 2
                # EOF

                """#))
    }

    @Test("an empty registry is a valid scrape")
    func empty() {
        #expect(text(.prometheusText) == "")
        #expect(text(.openMetrics) == "# EOF\n")
    }

    @Test("values beyond the integers are written as Prometheus reads them")
    func specialValues() {
        registry.collect("v", help: "V.", kind: .gauge) {
            [Double.infinity, -.infinity, .nan, 1e300, -0.1].enumerated()
                .map { .init([.init("n", String($0.offset))], $0.element) }
        }
        let values = text(.prometheusText).split(separator: "\n").dropFirst(2).map {
            $0.split(separator: " ")[1]
        }
        #expect(values == ["+Inf", "-Inf", "NaN", "1e+300", "-0.1"])
    }

    @Test("promtool finds nothing to complain about")
    func promtool() throws {
        fill()
        registry.collect("empty_bytes", help: "A family without samples.", kind: .gauge) { [] }
        let promtool = Process()
        promtool.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        promtool.arguments = ["promtool", "check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        promtool.standardInput = input
        promtool.standardOutput = output
        promtool.standardError = output
        try promtool.run()
        input.fileHandleForWriting.write(Data(registry.render(.prometheusText)))
        try input.fileHandleForWriting.close()
        let complaints = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        promtool.waitUntilExit()
        #expect(complaints.isEmpty)
        #expect(promtool.terminationStatus == 0)
    }
}
