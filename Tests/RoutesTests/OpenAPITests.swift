import Foundation
import HTTP
import Routes
import Testing

@Suite("The OpenAPI file")
struct OpenAPITests {
    /// `GET /v1/logs/{log}`, read off the indentation of `openapi/pyralog.yaml`.
    static func operations() throws -> Set<String> {
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: top.appending(path: "openapi/pyralog.yaml"), encoding: .utf8)
        var operations: Set<String> = []
        var path: String?
        var isInPaths = false
        for line in text.split(separator: "\n") {
            if !line.hasPrefix(" ") { isInPaths = line == "paths:" }
            guard isInPaths else { continue }
            if line.hasPrefix("  /"), line.hasSuffix(":") {
                path = String(line.dropFirst(2).dropLast())
            } else if let path, line.hasPrefix("    "), !line.hasPrefix("     "), line.hasSuffix(":") {
                let name = line.dropFirst(4).dropLast().uppercased()
                if Method(rawValue: name) != nil { operations.insert("\(name) \(path)") }
            }
        }
        return operations
    }

    @Test("it has the routes of the table, and no others")
    func sameRoutes() throws {
        let described = try Self.operations()
        let rows = routeTable(API(testMode: TestMode()).services).map {
            "\($0.method.rawValue) \($0.pattern)"
        }
        #expect(Set(rows).count == rows.count)
        let served = Set(rows)
        #expect(!described.isEmpty)
        #expect(served.subtracting(described).sorted() == [], "served, but not described")
        // HEAD goes with GET without a row of its own.
        let withoutHead = described.filter { !$0.hasPrefix("HEAD ") }
        #expect(withoutHead.subtracting(served).sorted() == [], "described, but not served")
    }

    @Test("it knows every error code that this version can answer with")
    func errorCodes() throws {
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: top.appending(path: "openapi/pyralog.yaml"), encoding: .utf8)
        let later: Set<ProblemCode> = [
            .diskFull, .unauthorized, .rateLimited,
        ]
        for code in ProblemCode.allCases where !later.contains(code) && code != .internal {
            #expect(text.contains("        - \(code.rawValue)\n"), "\(code.rawValue)")
        }
    }
}
