import Dispatch
import Foundation
import Synchronization
import Testing

@testable import ObjectStorage

@Suite("A server and a network that fail")
struct S3FaultTests {
    static let kinds = [
        "status", "reset-request", "reset-response", "lose", "truncate", "shorten", "flip-upload",
        "flip-download", "flip-stored", "stall", "stall-response", "drop", "error-200", "duplicate",
    ]
    static let bytes = pattern(200_000)
    let servers: ObjectServers

    init() throws { servers = try ObjectServers.plain.get() }

    @Test("an object is stored rightly in spite of one fault in its PUT", arguments: kinds)
    func faultInPut(kind: String) throws {
        let store = try servers.store("put-\(kind)", isProxied: true)
        try servers.fault(kind, path: "put-\(kind)/k", ["method": "PUT", "seconds": 3])
        try store.put("k", ObjectSource(bytes: Self.bytes))
        #expect(servers.stored("put-\(kind)/k") == Self.bytes)
    }

    @Test("a PUT that fails for ever is never called done", arguments: kinds)
    func faultInEveryPut(kind: String) throws {
        let store = try servers.store("never-\(kind)", isProxied: true) { $0.retries.attemptsMax = 2 }
        try servers.fault(kind, path: "never-\(kind)/k", ["method": "PUT", "seconds": 3, "times": 99])
        do {
            try store.put("k", ObjectSource(bytes: Self.bytes))
            #expect(servers.stored("never-\(kind)/k") == Self.bytes)
            // An answer without a body has nothing that can be cut or changed.
            #expect(
                ["truncate", "shorten", "flip-download", "duplicate", "reset-response", "stall-response"]
                    .contains(kind))
        } catch {
            let expected: ObjectStoreFailure.Kind =
                ["drop", "flip-stored"].contains(kind) ? .corrupt : .unavailable
            #expect(error.kind == expected, "\(error)")
            if kind == "drop" { #expect(servers.stored("never-\(kind)/k") == nil) }
        }
    }

    @Test(
        "an object comes whole in spite of two faults in a row, every byte handed on once", arguments: kinds)
    func faultInGet(kind: String) throws {
        let key = "get-\(kind)"
        let store = try servers.store(key, isProxied: true)
        try servers.store(key).put("k", ObjectSource(bytes: Self.bytes))
        try servers.fault(kind, path: "\(key)/k", ["method": "GET", "times": 2, "seconds": 3])
        // Only a checksum tells a changed byte, and with `get` that is the caller's; the others lose or add something.
        if ["flip-download", "flip-stored"].contains(kind) {
            #expect(try store.whole("k").count == Self.bytes.count)
        } else if ["drop", "error-200"].contains(kind) {
            #expect(throws: ObjectStoreFailure.self) { try store.whole("k", range: 10..<190_000) }
        } else {
            #expect(try store.whole("k", range: 10..<190_000) == Array(Self.bytes[10..<190_000]))
            #expect(try store.whole("k") == Self.bytes)
        }
    }

    @Test(
        "a list and a deletion go through trouble",
        arguments: ["status", "reset-response", "lose", "truncate", "error-200"])
    func otherCalls(kind: String) throws {
        let store = try servers.store("other-\(kind)", isProxied: true)
        try store.put("a", ObjectSource(bytes: [1]))
        try servers.fault(kind, path: "prefix=other-\(kind)", ["method": "GET", "times": 2])
        try servers.fault(kind, path: "other-\(kind)/a", ["method": "DELETE", "times": 1])
        try servers.fault("status", path: "other-\(kind)/a", ["method": "HEAD", "times": 2])
        #expect(try store.keys() == ["a"])
        #expect(try store.size(of: "a") == 1)
        try store.delete("a")
        #expect(servers.stored("other-\(kind)/a") == nil || kind == "error-200")
    }

    @Test("under faults at random whatever was called done is there")
    func soak() throws {
        let store = try servers.store("soak", isProxied: true) { $0.retries.attemptsMax = 4 }
        for kind in Self.kinds where !kind.hasPrefix("stall") && kind != "flip-stored" {
            try servers.fault(kind, path: "bucket/soak/", ["times": 1000, "probability": 0.03])
        }
        var done = 0
        for number in 0..<60 {
            let bytes = pattern(30_000, seed: UInt64(number))
            do {
                try store.put("\(number)", ObjectSource(bytes: bytes))
                done += 1
                #expect(servers.stored("soak/\(number)") == bytes, "object \(number)")
            } catch {
                #expect([.unavailable, .corrupt].contains(error.kind), "\(error)")
            }
        }
        #expect(done > 30)
    }

    @Test("whoever cancels is not held up by a server that does not answer")
    func cancellation() throws {
        let isCancelled = Flag()
        let store = try servers.store("cancel", isProxied: true) { $0.stallSeconds = 30 }
            .cancelled { isCancelled.value.load(ordering: .relaxed) }
        try servers.fault("stall", path: "cancel/k", ["times": 9, "seconds": 5])
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.3) {
            isCancelled.value.store(true, ordering: .relaxed)
        }
        let start = ContinuousClock.now
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try store.put("k", ObjectSource(bytes: [1]))
        }
        #expect(failure?.kind == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(4))
        #expect(throws: ObjectStoreFailure.self) { try store.keys() }
    }

    @Test("a server that is not there is unavailable, and the message says where it was looked for")
    func nobody() throws {
        let store = try servers.store("nobody") {
            $0.endpoint = "http://127.0.0.1:1"
            $0.retries.attemptsMax = 3
        }
        let failure = #expect(throws: ObjectStoreFailure.self) { try store.keys() }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.description.contains("127.0.0.1") == true)
        #expect(failure?.description.contains("3 attempts") == true)
    }
}

private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
}
