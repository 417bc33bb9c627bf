// Usage: pyralog-instructions [SCENARIO], run by scripts/instruction-counts under callgrind. Without a name: prints all.
import Glibc

let arguments = CommandLine.arguments.dropFirst()
guard let name = arguments.first else {
    for scenario in Scenario.all { print(scenario.name) }
    exit(0)
}
guard let scenario = Scenario.all.first(where: { $0.name == name }) else {
    print("no scenario is called \(name)")
    exit(64)
}
let run = try scenario.prepare(Bench())
try run()
try countedPart(run)
