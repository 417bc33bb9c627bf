import ArgumentParser
import Platform

/// A duration on the command line: `250ms`, `10s`, `7d`.
struct Duration: ExpressibleByArgument {
    let milliseconds: Int64

    init?(argument: String) {
        // The parser of the command line has its own message for a value it cannot read.
        guard let milliseconds = try? Units.milliseconds(argument) else { return nil }
        self.milliseconds = milliseconds
    }
}
