import Testing

@testable import ObjectStorage

@Suite("What is said to S3 and what it says")
struct S3TextTests {
    private func page(_ contents: String, keyPrefix: String = "") throws -> S3Page {
        let text =
            "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(contents)</ListBucketResult>"
        return try S3Page(Array(text.utf8), keyPrefix: keyPrefix)
    }

    @Test("a page is read: keys with entities, sizes, times, what is next")
    func list() throws {
        let page = try page(
            """
            <Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>t=&amp;/1</NextContinuationToken>
            <Contents><Key>p/a&amp;b&lt;c&gt;&quot;&#39;&#xe9; d</Key><LastModified>2026-11-28T17:23:28.115Z</LastModified>
            <Size>12</Size><Owner><ID>x</ID><Size>99</Size></Owner></Contents>
            <Contents><Size>0</Size><Key>p/z</Key></Contents>
            <Contents><Size>0</Size><Key>p/folder/</Key></Contents>
            <Contents><Size>1</Size><Key>p/.pyralog-probe-1</Key></Contents>
            """, keyPrefix: "p/")
        #expect(
            page.entries == [
                ObjectEntry(key: "a&b<c>\"'é d", bytes: 12, modified: 1_795_886_608_115),
                ObjectEntry(key: "z", bytes: 0),
            ])
        #expect(page.next == "t=&/1")
        #expect(try self.page("<IsTruncated>false</IsTruncated>").next == nil)
    }

    @Test(
        "what is no list is refused",
        arguments: [
            "<Contents><Key>p/a</Key></Contents>", "<Contents><Key>p/a</Key><Size>-1</Size></Contents>",
            "<Contents><Key>other</Key><Size>1</Size></Contents>", "<IsTruncated>true</IsTruncated>",
            "<Contents>",
            "<a>\u{1}</a>", "&none;",
        ])
    func noList(contents: String) {
        #expect(throws: XMLReader.Failure.self) { try page(contents, keyPrefix: "p/") }
    }

    @Test("a document with entities of its own, one that is too deep, and an empty one are refused")
    func hostile() {
        let bomb = """
            <!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><ListBucketResult>&b;</ListBucketResult>
            """
        let deep = String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100)
        for text in [bomb, deep, "", "no xml"] {
            #expect(throws: XMLReader.Failure.self) { try XMLReader.read(Array(text.utf8)) { _, _ in } }
        }
    }

    @Test("a list that gives the same page for ever ends with a failure")
    func endless() throws {
        let server = ScriptedServer { _, _ in
            .init(
                body:
                    "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"
            )
        }
        let failure = #expect(throws: ObjectStoreFailure.self) { try server.store().keys("a b") }
        #expect(failure?.kind == .refused)
        #expect(
            server.seen.map(\.url) == [
                "http://host:9000/bucket/?list-type=2&prefix=pre%20fix%2Fa%20b",
                "http://host:9000/bucket/?continuation-token=t&list-type=2&prefix=pre%20fix%2Fa%20b",
            ])
    }

    @Test(
        "so does one that comes round to pages that were there, or whose keys are in no order",
        arguments: 0..<3)
    func rounds(keys: Int) throws {
        let server = ScriptedServer { _, number in
            let name = keys == 1 ? "a\(number % 2)" : "a\(9 - min(number, 9))"
            let entry = "<Contents><Key>pre fix/\(name)</Key><Size>1</Size></Contents>"
            let token = keys == 2 ? "\(number)" : "t\(number % 2)"
            return .init(
                body: "<ListBucketResult>\(keys == 0 ? "" : entry)<IsTruncated>true</IsTruncated>"
                    + "<NextContinuationToken>\(token)</NextContinuationToken></ListBucketResult>")
        }
        let failure = #expect(throws: ObjectStoreFailure.self) { try server.store().keys("") }
        #expect(failure?.kind == (keys == 0 ? .refused : .corrupt))
        #expect(server.seen.count <= 3)
    }

    @Test(
        "an address has the bucket where it belongs, and keys as they are signed",
        arguments: [
            ("https://host", nil, "bucket", "https://host/bucket/a%20b/%C3%A9%2B"),
            ("http://host:9/", false, "bucket", "http://bucket.host:9/a%20b/%C3%A9%2B"),
            (nil, nil, "bucket", "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/%C3%A9%2B"),
            (nil, nil, "my.bucket", "https://s3.eu-west-1.amazonaws.com/my.bucket/a%20b/%C3%A9%2B"),
            (nil, true, "bucket", "https://s3.eu-west-1.amazonaws.com/bucket/a%20b/%C3%A9%2B"),
        ] as [(String?, Bool?, String, String)])
    func addresses(endpoint: String?, usesPathStyle: Bool?, bucket: String, url: String) throws {
        var configuration = S3Configuration(accessKeyID: "a", secretAccessKey: "b")
        configuration.region = "eu-west-1"
        configuration.endpoint = endpoint
        configuration.usesPathStyle = usesPathStyle
        #expect(try S3Address(configuration, bucket: bucket, prefix: "a b").url(of: "é+") == url)
    }

    @Test(
        "an endpoint is a scheme, a host and a port",
        arguments: [
            "host", "ftp://host", "http://", "http://user:pass@host", "http://host/path", "http://host?a",
            "http://h h",
        ])
    func endpoints(endpoint: String) {
        #expect(throws: ObjectStoreFailure.self) {
            try S3Configuration(
                endpoint: endpoint, environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"])
        }
    }

    @Test("the variables of AWS's tools are read, and what is configured comes before them")
    func environment() throws {
        let environment = [
            "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
            "AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-1", "AWS_ENDPOINT_URL": "http://all",
            "AWS_ENDPOINT_URL_S3": "http://s3", "AWS_CA_BUNDLE": "/ca.pem",
        ]
        let read = try S3Configuration(environment: environment)
        #expect(read.accessKeyID == "id" && read.secretAccessKey == "secret" && read.sessionToken == "token")
        #expect(read.region == "eu-1" && read.endpoint == "http://s3" && read.authoritiesFile == "/ca.pem")
        let given = try S3Configuration(endpoint: "http://mine", region: "r", environment: environment)
        #expect(given.endpoint == "http://mine" && given.region == "r")
        for missing in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            var less = environment
            less[missing] = nil
            let failure = #expect(throws: ObjectStoreFailure.self) { try S3Configuration(environment: less) }
            #expect(failure?.description.contains("AWS_SECRET_ACCESS_KEY") == true)
        }
        var broken = environment
        broken["AWS_SECRET_ACCESS_KEY"] = "secret\n"
        let failure = #expect(throws: ObjectStoreFailure.self) { try S3Configuration(environment: broken) }
        #expect(failure?.description.contains("secret\n") == false)
    }

    @Test(
        "digests are those of the standard",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ])
    func digest(text: String, sha256: String) {
        #expect(DigestText.hexadecimal(SHA256.digest(of: Array(text.utf8))) == sha256)
        #expect(DigestText.base64(Array("any carnal pleas".utf8)) == "YW55IGNhcm5hbCBwbGVhcw==")
    }

    @Test("times are read to the millisecond, and what is no time is none")
    func times() {
        #expect(S3Time.milliseconds("1970-01-02T00:00:01Z") == 86_401_000)
        #expect(S3Time.milliseconds("2026-11-28T17:23:28.08Z") == 1_795_886_608_080)
        for text in ["", "Z", "2026-13-01T00:00:00Z", "2026-11-28", "99999999999999999999-1-1T0:0:0Z"] {
            #expect(S3Time.milliseconds(text) == nil)
        }
    }
}
