import Platform

/// Opens the store of a location.
package struct ObjectStores: Sendable {
    private let environment: [String: String]
    private let configure: @Sendable (inout S3Configuration) -> Void
    private let files: any FileSystem

    /// - Parameters:
    ///   - environment: of the process: the `AWS_*` variables.
    ///   - configure: what the server's configuration says beyond them.
    package init(
        environment: [String: String], files: any FileSystem = SystemFiles(),
        configure: @escaping @Sendable (inout S3Configuration) -> Void = { _ in }
    ) {
        self.environment = environment
        self.files = files
        self.configure = configure
    }

    /// The same, where more is said.
    package func configured(_ more: @escaping @Sendable (inout S3Configuration) -> Void) -> ObjectStores {
        ObjectStores(environment: environment, files: files) { [configure] configuration in
            configure(&configuration)
            more(&configuration)
        }
    }

    package func open(
        _ location: ObjectLocation, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(ObjectStoreFailure) -> any ObjectStore {
        switch location {
        case .directory(let path): return DirectoryStore(path, files: files, isCancelled: isCancelled)
        case .s3(let bucket, let prefix):
            var configuration = try S3Configuration(environment: environment)
            configure(&configuration)
            return try S3Store(bucket: bucket, prefix: prefix, configuration, isCancelled: isCancelled)
        }
    }
}
