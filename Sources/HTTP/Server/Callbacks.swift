import CMicroHTTPD
import Glibc
import Platform

/// libmicrohttpd's callbacks: each finds its object, calls one method and turns the outcome into C.
enum Callbacks {
    /// - Returns: a running daemon, to be stopped before `release(context)`; nil when it did not start.
    static func start(_ context: ServerContext, _ listener: Int32) -> OpaquePointer? {
        let configuration = context.configuration
        let threads = max(configuration.threads ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)
        var options = pyra_daemon_options()
        options.listen_socket = listener
        options.threads = UInt32(clamping: threads > 1 ? threads : 0)
        // The library shares its limit out among its threads, unevenly used as they are: ours comes first.
        let connectionsMax = configuration.connectionsMax + 2 * ConnectionTable.refusedMax
        options.connections_max = UInt32(clamping: connectionsMax * threads)
        options.connection_memory_bytes = configuration.connectionMemoryBytes
        options.context = Unmanaged.passRetained(context).toOpaque()
        options.handler = handler
        options.target_logged = targetLogged
        options.unescape = { _, _, text in text.map { strlen($0) } ?? 0 }
        options.completed = completed
        options.notified = notified
        options.logger = logger
        let daemon = pyra_start_daemon(&options)
        if daemon == nil { release(context) }
        return daemon
    }

    static func release(_ context: ServerContext) { Unmanaged.passUnretained(context).release() }

    private static let handler: MHD_AccessHandlerCallback = {
        _, handle, _, method, version, data, count, request in
        guard let handle, let method, let version, let count,
            let connection = connection(of: handle, request?.pointee)
        else { return .NO }
        return connection._withUnsafeGuaranteedRef {
            $0.handle(method: method, version: version, data, &count.pointee)
        }
    }

    private static let targetLogged:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
            UnsafeMutableRawPointer? =
            {
                _, text, handle in
                guard let text, let handle, let connection = connection(of: handle, nil) else { return nil }
                connection._withUnsafeGuaranteedRef { $0.sawTarget(text) }
                return connection.toOpaque()
            }

    private static let completed: MHD_RequestCompletedCallback = { _, handle, request, _ in
        if let handle {
            connection(of: handle, request?.pointee)?._withUnsafeGuaranteedRef { $0.completed() }
        }
    }

    private static let notified: MHD_NotifyConnectionCallback = { context, handle, place, code in
        guard let context, let handle, let place else { return }
        if code == .CONNECTION_NOTIFY_STARTED {
            let context = Unmanaged<ServerContext>.fromOpaque(context).takeUnretainedValue()
            place.pointee = Unmanaged.passRetained(Connection.opened(handle, context)).toOpaque()
        } else if let known = place.pointee {
            Unmanaged<Connection>.fromOpaque(known).takeRetainedValue().closed()
            place.pointee = nil
        }
    }

    private static let logger: MHD_LogCallback = { context, format, arguments in
        guard let context, let format, let arguments else { return }
        Unmanaged<ServerContext>.fromOpaque(context).takeUnretainedValue().log(format, arguments)
    }

    /// The library's own reference keeps it alive during a callback.
    ///
    /// - Parameter known: what `targetLogged` left with the request: it saves the look-up.
    private static func connection(
        of handle: OpaquePointer, _ known: UnsafeMutableRawPointer?
    ) -> Unmanaged<Connection>? {
        (known ?? pyra_connection_context(handle)).map { Unmanaged<Connection>.fromOpaque($0) }
    }
}
