import Glibc
import Platform

/// A line of standard output, there at once.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// A line about the test that is running.
func report(_ line: String) { say("  " + line) }

func rounded(_ value: Double, places: Int = 1) -> String {
    var power = 1.0
    for _ in 0..<places { power *= 10 }
    return String((value * power).rounded() / power)
}

func mebibytes(_ bytes: Int) -> String { rounded(Double(bytes) / Double(1 << 20)) + " MiB" }

func microseconds(_ nanoseconds: Int64) -> String { rounded(Double(nanoseconds) / 1000) + " µs" }

func percent(_ part: Int, of whole: Int) -> String {
    rounded(100 * Double(part) / Double(max(1, whole)), places: 2) + " %"
}

/// How many operations a scaled test does.
func scaled(_ count: Int, by scale: Double, min least: Int = 1) -> Int {
    max(least, Int((Double(count) * scale).rounded()))
}

struct Stopwatch {
    private let start = Clock.monotonicNanoseconds()

    var seconds: Double { Double(Clock.monotonicNanoseconds() - start) / 1e9 }
    var text: String { rounded(seconds) + " s" }
}
