// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A module of ours: Swift 6 mode, every warning an error.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

/// A C library of the system: a module map and a shim in `Sources/C`, imported by one leaf only.
func system(_ name: String, pkgConfig: String? = nil, debian: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}

let package = Package(
    name: "pyralog",
    products: [
        .executable(name: "pyralog", targets: ["Server"]),
        .executable(name: "pyralog-bench", targets: ["EngineBenchmarks"]),
        .executable(name: "pyralog-bench-sql", targets: ["SQLBenchmarks"]),
        .executable(name: "pyralog-instructions", targets: ["InstructionScenarios"]),
        .executable(name: "pyralog-torture", targets: ["EngineTorture"]),
        .library(name: "StorageEngine", targets: ["StorageEngine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        .executableTarget(
            name: "Server",
            dependencies: [
                "Routes", "SQL", "Snapshots", "HTTP", "HTTPClient", "JSON", "ObjectStorage", "StorageEngine",
                "Metrics", "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "EngineBenchmarks", dependencies: ["StorageEngine", "Metrics", "Platform"],
            path: "Sources/Benchmarks/Engine", swiftSettings: strict),
        .executableTarget(
            name: "SQLBenchmarks",
            dependencies: ["SQL", "DuckDBClient", "StorageEngine", "Metrics", "Platform"],
            path: "Sources/Benchmarks/SQL", swiftSettings: strict),
        .executableTarget(
            name: "EngineTorture", dependencies: ["StorageEngine", "Metrics", "Platform"],
            path: "Sources/Benchmarks/Torture", swiftSettings: strict),
        .executableTarget(
            name: "InstructionScenarios",
            dependencies: ["Routes", "HTTP", "StorageEngine", "Metrics", "Platform"],
            path: "Sources/Benchmarks/Instructions", swiftSettings: strict),
        .executableTarget(
            name: "HelloServer", path: "Sources/Benchmarks/HelloServer",
            linkerSettings: [.linkedLibrary("microhttpd")]),
        .executableTarget(name: "LoadClient", path: "Sources/Benchmarks/LoadClient"),
        module(
            "Routes",
            ["HTTP", "JSON", "ObjectStorage", "SQL", "Snapshots", "StorageEngine", "Metrics", "Platform"]),
        module("SQL", ["ArrowStream", "DuckDBClient", "JSON", "StorageEngine", "Metrics", "Platform"]),
        module("Snapshots", ["ObjectStorage", "StorageEngine", "Metrics", "Platform"]),
        module("HTTP", ["Metrics", "Platform", "CMicroHTTPD", "CZlib", "CZstd"]),
        module(
            "StorageEngine",
            [
                "Metrics", "Platform", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        module("DuckDBClient", ["CDuckDB"]),
        module("JSON", ["Platform", "CJansson", "CSimdJSON"]),
        module("HTTPClient", ["CCurl"]),
        module("ObjectStorage", ["HTTPClient", "Platform", "CCrypto", "CExpat"]),
        module("ArrowStream", ["CArrow"]),
        module("Metrics", ["Platform"]),
        module("Platform", ["CPlatform", "CXXHash"]),

        .target(
            name: "CSimdJSON", path: "Sources/C/CSimdJSON",
            linkerSettings: [.linkedLibrary("simdjson")]),
        system("CArrow", debian: "libc6-dev"),
        .target(name: "CDuckDB", path: "Sources/C/CDuckDB"),
        system("CPlatform", debian: "libc6-dev"),
        system("CXXHash", pkgConfig: "libxxhash", debian: "libxxhash-dev"),
        system("CMicroHTTPD", pkgConfig: "libmicrohttpd", debian: "libmicrohttpd-dev"),
        system("CJansson", pkgConfig: "jansson", debian: "libjansson-dev"),
        system("CZlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
        system("CZstd", pkgConfig: "libzstd", debian: "libzstd-dev"),
        system("CCurl", pkgConfig: "libcurl", debian: "libcurl4-openssl-dev"),
        system("CCrypto", pkgConfig: "libcrypto", debian: "libssl-dev"),
        system("CExpat", pkgConfig: "expat", debian: "libexpat1-dev"),

        tests("PlatformTests", ["Platform"]),
        tests("MetricsTests", ["Metrics"]),
        tests("JSONTests", ["JSON", "Platform"]),
        tests("HTTPTests", ["HTTP", "Metrics", "Platform"]),
        .target(
            name: "Support", dependencies: ["StorageEngine", "Platform", "Metrics"], path: "Tests/Support",
            swiftSettings: strict),
        tests("StorageEngineTests", ["Support", "StorageEngine", "Platform", "Metrics"]),
        tests("ModelTests", ["Support", "StorageEngine", "Platform", "Metrics"]),
        tests("DuckDBClientTests", ["DuckDBClient", "Support"]),
        tests(
            "SQLTests", ["SQL", "Support", "DuckDBClient", "JSON", "StorageEngine", "Metrics", "Platform"]),
        tests(
            "RoutesTests",
            ["Routes", "Support", "HTTP", "JSON", "Snapshots", "StorageEngine", "Metrics", "Platform"]),
        tests("HTTPClientTests", ["HTTPClient"]),
        tests(
            "SnapshotsTests",
            ["Snapshots", "ObjectStorage", "Support", "StorageEngine", "Metrics", "Platform"]),
        tests("ObjectStorageTests", ["ObjectStorage", "HTTPClient", "Support", "Platform"]),
        tests("ArrowStreamTests", ["ArrowStream", "CArrow"]),
        tests("ServerTests", ["Server", "HTTPClient", "JSON", "Metrics", "Platform", "Routes"]),
        tests("TidyTests", []),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
