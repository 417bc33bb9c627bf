import Glibc

/// The process itself, under the names that Prometheus' client libraries use.
package enum ProcessMetrics {
    /// - Parameter startedAt: Unix milliseconds.
    package static func register(in registry: MetricsRegistry, startedAt: Int64) {
        registry.collect(
            "process_start_time_seconds", help: "Start time of the process since unix epoch in seconds.",
            kind: .gauge
        ) { [.init([], Double(startedAt) / 1000)] }
        registry.collect(
            "process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds.",
            kind: .counter
        ) { [.init([], cpuSeconds())] }
        registry.collect(
            "process_resident_memory_bytes", help: "Resident memory size in bytes.", kind: .gauge
        ) { residentBytes().map { [.init([], Double($0))] } ?? [] }
        registry.collect(
            "process_open_fds", help: "Number of open file descriptors.", kind: .gauge
        ) { openDescriptors().map { [.init([], Double($0))] } ?? [] }
        registry.collect(
            "process_max_fds", help: "Maximum number of open file descriptors.", kind: .gauge
        ) { descriptorsMax().map { [.init([], Double($0))] } ?? [] }
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
    }

    /// The second number of `/proc/self/statm`, in pages.
    private static func residentBytes() -> Int? {
        guard let file = fopen("/proc/self/statm", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let fields = line.prefix { $0 != 0 }.split(separator: CChar(UInt8(ascii: " ")))
        guard fields.count > 1 else { return nil }
        let digits = String(decoding: fields[1].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Int(digits).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }

    private static func openDescriptors() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var entries = 0
        while readdir(directory) != nil { entries += 1 }
        // Neither "." and ".." nor the descriptor that reads the directory.
        return entries - 3
    }

    private static func descriptorsMax() -> UInt? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return UInt(limit.rlim_cur)
    }
}
