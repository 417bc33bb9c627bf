import Testing

@testable import HTTP

@Suite("Routing")
struct RoutingTests {
    let router = EchoRoutes.router()

    private func answer(_ method: HTTP.Method, _ target: String) -> (status: Int, text: [UInt8]) {
        let response = router.respond(to: Request(method, target))
        return (response.status, response.body)
    }

    @Test(
        "a path finds its route and its captures are decoded",
        arguments: [
            ("/", "/|"), ("/v1/logs?prefix=a/b", "/v1/logs|"), ("/v1/logs/events", "/v1/logs/{log}|events|"),
            ("/v1/logs/e/keys/a%2Fb", "/v1/logs/{log}/keys/{key}|e|a/b|"),
            ("/v1/logs/e/keys/%2E%2E", "/v1/logs/{log}/keys/{key}|e|..|"),
            ("/v1/logs/e/keys/...", "/v1/logs/{log}/keys/{key}|e|...|"),
            ("/v1/logs/e/keys/a+b%20c", "/v1/logs/{log}/keys/{key}|e|a+b c|"),
            ("/v1/logs/e/keys/a:increment", "/v1/logs/{log}/keys/{key}|e|a:increment|"),
            ("/v1/%6Cogs/e", "/v1/logs/{log}|e|"),
        ])
    func decodes(target: String, expected: String) {
        let (status, text) = answer(.get, target)
        #expect(status == 200)
        #expect(text == Array(expected.utf8))
    }

    @Test("keys are bytes: NUL, invalid UTF-8 and emoji come through")
    func keysAreBytes() {
        #expect(answer(.get, "/v1/logs/e/keys/%00%ff").text.suffix(4).elementsEqual([0x7C, 0, 0xFF, 0x7C]))
        #expect(
            answer(.get, "/v1/logs/e/keys/%F0%9F%98%80").text.count
                == "/v1/logs/{log}/keys/{key}|e|😀|".utf8.count)
    }

    @Test(
        "verbs exist for POST only and raw in the path",
        arguments: [
            (HTTP.Method.post, "/v1/logs/e/keys/a:increment", 200),
            (.post, "/v1/logs/e/keys/a%3Aincrement", 405),
            (.post, "/v1/logs/e/keys/a:b:increment", 200), (.post, "/v1/logs/e/keys/a:unknown", 405),
            (.post, "/v1/logs/e/records:batch", 200), (.post, "/v1/logs/e/records%3Abatch", 404),
            (.get, "/v1/snapshots/7:restore", 405), (.post, "/v1/snapshots/7:restore", 200),
            (.post, "/v1/snapshots/7", 404), (.post, "/v1/logs/e/keys/:increment", 405),
        ])
    func verbs(method: HTTP.Method, target: String, status: Int) {
        #expect(answer(method, target).status == status)
    }

    @Test(
        "paths that mean two things are refused",
        arguments: [
            ("/v1/logs//keys/a", 400), ("//v1/logs", 400), ("/v1/./logs", 400), ("/v1/logs/../logs", 400),
            ("/v1/logs/e/keys/..", 400), ("/v1/logs/e/keys/%zz", 400), ("/v1/logs/e/keys/%4", 400),
            ("/v1/logs/a%00b", 400), ("/v1/logs/a b", 400), ("v1/logs", 400), ("", 400),
            ("/v1/logs/", 404), ("/v1/logs/e/keys/", 404), ("/v1", 404), ("/v1/logs/e/nothing", 404),
            ("/v2", 404),
        ])
    func refuses(target: String, status: Int) {
        #expect(answer(.get, target).status == status)
    }

    @Test("a wrong method is told which ones there are, HEAD goes wherever GET goes")
    func methods() {
        let response = router.respond(to: Request(.delete, "/v1/logs/events"))
        #expect(response.status == 405)
        #expect(response.field("allow") == "GET, HEAD, PUT, OPTIONS")
        let options = router.respond(to: Request(.options, "/v1/logs/e/records"))
        #expect(options.status == 204)
        #expect(options.field("Allow") == "POST, OPTIONS")
        let head = router.respond(to: Request(.head, "/v1/logs/events"))
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
    }

    @Test("queries are decoded in order, plus is a space, bad escapes are refused")
    func queries() throws {
        let query = try Request(.get, "/x?a=1&b=%2B+c&a&=v&&d=e=f").query()
        #expect(query.map { String(decoding: $0.name, as: UTF8.self) } == ["a", "b", "a", "", "d"])
        #expect(query.map { String(decoding: $0.value, as: UTF8.self) } == ["1", "+ c", "", "v", "e=f"])
        #expect(throws: HTTPFailure.badPercentEncoding(where: "query")) {
            try Request(.get, "/x?a=%g0").query()
        }
        #expect(try Request(.get, "/x").query().isEmpty)
    }

    @Test("header fields are found without case, the first of several")
    func fields() {
        let request = Request(.get, "/", fields: [("If-Match", "\"a\""), ("IF-MATCH", "b"), ("X", "")])
        #expect(request.field("if-match") == "\"a\"")
        #expect(request.field("x") == "")
        #expect(request.field("y") == nil)
    }
}
