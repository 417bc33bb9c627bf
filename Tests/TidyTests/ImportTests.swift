import Foundation
import Testing

@Suite("Who may import whom")
struct ImportTests {
    /// The table of the architecture: a module may import these of ours, and these C libraries.
    static let allowed: [String: Set<String>] = [
        "Server": [
            "Routes", "SQL", "Snapshots", "HTTP", "HTTPClient", "JSON", "ObjectStorage", "StorageEngine",
            "Metrics",
            "Platform",
        ],
        "Routes": [
            "HTTP", "JSON", "ObjectStorage", "SQL", "Snapshots", "StorageEngine", "Metrics", "Platform",
        ],
        "Snapshots": ["ObjectStorage", "StorageEngine", "Metrics", "Platform"],
        "SQL": ["ArrowStream", "DuckDBClient", "JSON", "StorageEngine", "Metrics", "Platform"],
        "DuckDBClient": ["CDuckDB"],
        "HTTP": ["Platform", "Metrics", "CMicroHTTPD", "CZlib", "CZstd"],
        "StorageEngine": ["Platform", "Metrics"],
        "JSON": ["Platform", "CJansson", "CSimdJSON"],
        "HTTPClient": ["CCurl"],
        "ObjectStorage": ["HTTPClient", "Platform", "CCrypto", "CExpat"],
        "ArrowStream": ["CArrow"],
        "Metrics": ["Platform"],
        "Benchmarks": [
            "DuckDBClient", "SQL", "Routes", "HTTP", "StorageEngine", "Metrics", "Platform",
        ],
        "Platform": ["CPlatform", "CXXHash"],
    ]
    /// Parts of the toolchain.
    static let standard: Set<String> = ["Glibc", "Synchronization"]
    /// Swift packages, and who may use them; and Foundation, whose loading would hold up every start.
    static let packages: [String: Set<String>] = [
        "Benchmarks": ["Foundation"],
        "Server": ["ArgumentParser", "Configuration", "Logging", "Yams"],
        "StorageEngine": ["DequeModule", "HeapModule"],
    ]

    @Test("a module imports only what the table gives it", arguments: SourceTree.modules)
    func table(module: String) throws {
        let allowed = try #require(
            Self.allowed[module], "Sources/\(module) is not in the table: decide what it may import")
        let libraries = Self.packages[module] ?? []
        for file in SourceTree.sources(of: module) {
            for name in imports(of: file) {
                #expect(
                    allowed.contains(name) || Self.standard.contains(name) || libraries.contains(name),
                    "\(file.path) imports \(name)")
            }
        }
    }

    @Test("a C library has one importer")
    func oneImporter() {
        var importers: [String: Set<String>] = [:]
        for module in SourceTree.modules {
            for name in SourceTree.sources(of: module).flatMap(imports) where isCLibrary(name) {
                importers[name, default: []].insert(module)
            }
        }
        #expect(!importers.isEmpty)
        for (library, modules) in importers { #expect(modules.count == 1, "\(library): \(modules.sorted())") }
    }

    private func isCLibrary(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: SourceTree.top.appending(path: "Sources/C/\(name)").path)
    }

    private func imports(of file: SourceTree.File) -> [String] {
        let form =
            /^(?:@[a-zA-Z_()]+ |public |package |internal |private )*import (?:struct |class |enum |func |protocol )?(\w+)/
        return file.lines.compactMap { $0.firstMatch(of: form).map { String($0.1) } }
    }
}
