import Glibc

/// How much memory this process may use.
package enum MachineMemory {
    /// The smaller of the machine's memory and the control group's limit, in bytes.
    package static func limitBytes() -> Int {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let machine = max(0, pages) * max(4096, sysconf(Int32(_SC_PAGESIZE)))
        let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].compactMap(
            number)
        return groups.reduce(machine) { min($0, $1) }
    }

    /// Nil when the file is missing or says `max`.
    private static func number(inFile path: String) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let digits = line.prefix { $0 >= 48 && $0 <= 57 }.map { UInt8(bitPattern: $0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
