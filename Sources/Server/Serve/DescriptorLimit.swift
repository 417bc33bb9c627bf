import Glibc

/// The number of files and connections that the system allows this process.
enum DescriptorLimit {
    /// For everything that is no connection: listeners, event loops, files.
    static let reserved = 64

    /// Raises the soft limit to the hard one.
    /// - Returns: the limit in force; nil when the system does not tell.
    static func raise() -> Int? {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(exactly: limit.rlim_cur)
    }
}
