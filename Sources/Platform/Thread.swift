import CPlatform

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

    /// - Parameter name: at most 15 bytes (the kernel's limit); the rest is cut.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        let failure = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                pyra_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        precondition(failure == 0, "pthread_create failed with error \(failure)")
    }

    package func join() { pthread_join(handle, nil) }
}
