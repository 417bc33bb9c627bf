import Glibc
import Platform
import StorageEngine

extension SQLBenchmarks {
    /// Prints a line a figure.
    static func measure(rows: Int, library: String, jsonFile: String?) throws {
        let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let start = Clock.monotonicNanoseconds()
        let bench = try SQLBenchmarks(rows: rows, library: library, threads: threads)
        print(
            "\(rows) rows made in \(milliseconds(since: start)) ms; log \(bench.engine.memoryUsedBytes >> 20) MiB; \(threads) threads"
        )

        let first = try bench.ask("SELECT 1")
        print("first query of the process: \(text(first.seconds)) ms")
        let cold = try bench.ask(SQLBenchmarks.questions[0].text)
        print("first query on fields: \(text(cold.seconds)) ms; columns \(bench.columnBytes >> 20) MiB")
        if let jsonFile { print("read_json of the same bytes: \(text(try bench.readJSON(jsonFile))) ms") }

        for question in SQLBenchmarks.questions {
            _ = try bench.ask(question.text)
            var live: [Double] = []
            var unpruned: [Double] = []
            var pruned: [Double] = []
            // Of a query of a millisecond a single run says little.
            for _ in 0..<21 {
                live.append(try bench.ask(question.text).seconds)
                unpruned.append(try bench.askTable(question.text, pruning: false))
                pruned.append(try bench.askTable(question.text, pruning: true))
            }
            let (ours, table, plain) = (median(live), median(unpruned), median(pruned))
            print(
                "\(question.name): live \(text(ours)) ms, table \(text(table)) ms (with pruning \(text(plain))), ratio \(ratio(table / ours))"
            )
        }
        print("columns: \(bench.columnBytes >> 20) MiB")
        let quiet = try bench.appendTimes(seconds: 3)
        let stopper = Stopper()
        let loop = Thread(name: "queries") {
            while !stopper.isStopped {
                do { _ = try bench.ask(SQLBenchmarks.questions[2].text) } catch {
                    print("query failed: \(error)")
                }
            }
        }
        let busy = try bench.appendTimes(seconds: 5)
        stopper.stop()
        loop.join()
        print(
            "append p99: \(quiet[quiet.count * 99 / 100]) ns alone, \(busy[busy.count * 99 / 100]) ns beside a query loop"
        )
    }
}
