import Glibc

/// What the operating system charges this process.
package enum ProcessMemory {
    /// Resident set size; 0 where `/proc` is missing.
    package static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let words = line.split(separator: 32)
        guard words.count > 1 else { return 0 }
        let digits = words[1].map { UInt8(bitPattern: $0) }
        return (Int(String(decoding: digits, as: UTF8.self)) ?? 0) * max(4096, sysconf(Int32(_SC_PAGESIZE)))
    }
}
