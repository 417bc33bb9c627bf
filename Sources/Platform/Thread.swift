import CPlatform
import Glibc

/// A joinable operating-system thread with a name that `top -H` shows.
package final class Thread: @unchecked Sendable {
    // Sendable: `handle` is written before `init` returns and only read afterwards.
    private var handle = pthread_t()

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// - Parameters:
    ///   - name: at most 15 bytes (the kernel's limit); the rest is cut.
    ///   - stackBytes: nil for the system's default, usually 8 MiB; memory is taken only as it is used.
    package init(name: String, stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
        let failure = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                pyra_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        precondition(failure == 0, "pthread_create failed with error \(failure)")
    }

    /// The calling thread runs only when nobody else wants its core, or little beside them; there is no way back.
    package static func runInBackground() {
        let niceness: Int32 = 10
        // Without it the work is done all the same.
        _ = pyra_set_niceness(niceness)
    }

    package func join() { pthread_join(handle, nil) }
}
