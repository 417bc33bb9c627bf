import Metrics
import Platform
import Testing

@Suite("The registry and its metrics")
struct MetricsRegistryTests {
    let registry = MetricsRegistry()

    @Test("the same name and labels give the same metric, whatever the order of the labels")
    func identity() {
        let one = registry.counter("a_total", help: "A.", labels: [.init("x", "1"), .init("y", "2")])
        let same = registry.counter("a_total", help: "A.", labels: [.init("y", "2"), .init("x", "1")])
        let other = registry.counter("a_total", help: "A.", labels: [.init("x", "2"), .init("y", "2")])
        one.add(3)
        #expect(one === same)
        #expect(same.value == 3)
        #expect(other.value == 0)
    }

    @Test("a gauge goes both ways")
    func gauge() {
        let gauge = registry.gauge("g", help: "G.")
        gauge.set(5)
        gauge.add(-7)
        #expect(gauge.value == -2)
    }

    @Test("a value on a bucket's bound belongs to that bucket, and one above all bounds to +Inf")
    func buckets() {
        let histogram = registry.histogram("h_seconds", help: "H.", buckets: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 1, 2, .infinity] { histogram.observe(value) }
        #expect(histogram.counts == [2, 2, 2])
    }

    @Test("NaN does not spoil a histogram")
    func notANumber() {
        let histogram = registry.histogram("h_seconds", help: "H.", buckets: [1])
        histogram.observe(.nan)
        histogram.observe(0.5)
        #expect(histogram.sum == 0.5)
        #expect(histogram.counts == [1, 0])
    }

    @Test("nothing is lost when threads add at once")
    func threads() {
        let counter = registry.counter("c_total", help: "C.")
        let histogram = registry.histogram("h_bytes", help: "H.", buckets: [1, 2])
        let threads = (0..<4).map { _ in
            Thread(name: "adder") {
                for _ in 0..<10_000 {
                    counter.add()
                    histogram.observe(2)
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(counter.value == 40_000)
        #expect(histogram.counts == [0, 40_000, 0])
        #expect(histogram.sum == 80_000)
    }

    @Test("several collectors feed one family, and may use the registry while they run")
    func collectors() {
        let registry = registry
        registry.collect("m_bytes", help: "M.", kind: .gauge) { [.init([.init("kind", "b")], 2)] }
        registry.collect("m_bytes", help: "M.", kind: .gauge) {
            [.init([.init("kind", "a")], Double(registry.gauge("inner", help: "I.").value))]
        }
        let text = String(decoding: registry.render(.prometheusText), as: UTF8.self)
        #expect(text.contains("m_bytes{kind=\"a\"} 0\nm_bytes{kind=\"b\"} 2\n"))
    }
}
