import Glibc
import Platform

// Usage: pyralog-torture [--scale N] [TEST…], tests: traces overwrite churn expiry bank pinned
// Needs no server: engines in this process. Ends with 1 when a test failed, 2 when it was called wrongly.
do {
    let request = try Request(CommandLine.arguments.dropFirst())
    var failed: [String] = []
    for test in request.tests {
        say("\(test.name), scale \(request.scale)")
        let watch = Stopwatch()
        let watchdog = Watchdog(test: test.name, scale: request.scale)
        defer { watchdog.stop() }
        do {
            try test.run(request.scale)
            say("passed \(test.name) (\(watch.text))")
        } catch {
            say("FAILED \(test.name): \(error)")
            failed.append(test.name)
        }
    }
    exit(failed.isEmpty ? 0 : 1)
} catch {
    say("pyralog-torture: \(error)")
    exit(2)
}
