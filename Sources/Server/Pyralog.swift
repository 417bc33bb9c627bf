import ArgumentParser

@main
struct Pyralog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pyralog",
        abstract: "Append-only logs and keys with deadlines, over HTTP.",
        version: "pyralog \(version)",
        subcommands: [
            Serve.self, Append.self, Tail.self, Get.self, Put.self, Delete.self, Logs.self, SQLCommand.self,
            Dump.self, Load.self, TakeSnapshot.self, ListSnapshots.self, RestoreSnapshot.self,
            ReplayRecords.self,
            Check.self,
        ])

    static let version = "0.1.0"
}
