// Usage: pyralog-bench [--json] [GROUP…], groups: memory append read keys latency transactions expiry
// and, on a disk: modes group-commit cold-keys; and, only when it is named: moonshots
let arguments = CommandLine.arguments.dropFirst()
let chosen = arguments.filter { !$0.hasPrefix("--") }
var measurements: [Measurement] = []
let benchmarks = EngineBenchmarks()
for group in EngineBenchmarks.groups
where chosen.isEmpty ? group.name != EngineBenchmarks.moonshots : chosen.contains(group.name) {
    let results = try group.run(benchmarks)()
    if !arguments.contains("--json") { results.forEach { print($0.line) } }
    measurements += results
}
if arguments.contains("--json") {
    print("[" + measurements.map(\.json).joined(separator: ",\n") + "]")
}
