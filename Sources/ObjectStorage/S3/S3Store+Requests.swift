import HTTPClient
import Platform

extension S3Store {
    /// Of no bytes: what requests without a body are signed with.
    private static let emptyDigest = DigestText.hexadecimal(SHA256.digest(of: []))
    /// A thousand keys of full length, all of their characters escaped.
    private static let answerBytesMax = 16 << 20
    /// Of requests whose answers are short.
    private static let answerSecondsMax = 120
    private static let pauseMilliseconds = 50

    /// A request that will be signed.
    ///
    /// - Parameter payloadDigest: of its body, in hexadecimal. AWS wants it in every request.
    func request(_ method: String, _ url: String, payloadDigest: String? = nil) -> ClientRequest {
        var request = ClientRequest(method, url)
        request.fields = [("x-amz-content-sha256", payloadDigest ?? Self.emptyDigest)]
        if let token = configuration.sessionToken { request.fields.append(("x-amz-security-token", token)) }
        request.signature = AWSSignature(
            region: configuration.region, service: "s3", accessKeyID: configuration.accessKeyID,
            secretAccessKey: configuration.secretAccessKey)
        request.authoritiesFile = configuration.authoritiesFile
        request.isCancelled = isCancelled
        request.limits.connectSeconds = configuration.connectSeconds
        request.limits.silenceSeconds = configuration.stallSeconds
        return request
    }

    /// Sends a request whose answer is short.
    ///
    /// - Throws: `S3Trouble` also when the answer is an error with the status of a success.
    func answer(
        to request: ClientRequest, _ key: String?
    ) throws(S3Trouble) -> (response: ClientResponse, body: [UInt8]) {
        let (response, body) = try exchange(request, key)
        // CompleteMultipartUpload tells of trouble in the body of a 200.
        guard (200..<300).contains(response.status), body.isEmpty || S3Error(body) == nil else {
            throw trouble(response, body, key)
        }
        return (response, body)
    }

    /// The same, whatever the answer is.
    func exchange(
        _ request: ClientRequest, _ key: String?
    ) throws(S3Trouble) -> (response: ClientResponse, body: [UInt8]) {
        var request = request
        if request.limits.totalSeconds == nil { request.limits.totalSeconds = Self.answerSecondsMax }
        var body: [UInt8] = []
        var isTooLong = false
        let response: ClientResponse
        do {
            response = try transport.send(request) { _, bytes in
                isTooLong = bytes.count > Self.answerBytesMax - body.count
                if !isTooLong { body.append(contentsOf: bytes) }
                return !isTooLong
            }
        } catch {
            throw trouble(error, key)
        }
        if isTooLong { throw .passing("the answer is longer than any of S3's") }
        return (response, body)
    }

    /// Makes attempts until one succeeds, or the policy has had enough.
    func repeating<Result>(
        _ key: String?, _ attempt: () throws(S3Trouble) -> Result
    ) throws(ObjectStoreFailure) -> Result {
        var retries = Retries(configuration.retries, clock)
        while true {
            if isCancelled() { throw ObjectStoreFailure(.cancelled, location, key, "it was cancelled") }
            do throws(S3Trouble) {
                return try attempt()
            } catch {
                switch error {
                case .final(let failure), .code(_, let failure): throw failure
                case .passing(let said, let seconds): try wait(&retries, said, seconds, key)
                }
            }
        }
    }

    /// Sleeps before the next attempt, in short pieces so that nobody who cancels is held up.
    ///
    /// - Throws: `unavailable` when there is none.
    func wait(
        _ retries: inout Retries, _ said: String, _ retryAfterSeconds: Int?, _ key: String?
    ) throws(ObjectStoreFailure) {
        guard var rest = retries.next(retryAfterSeconds) else {
            let attempts = retries.failures == 1 ? "one attempt" : "\(retries.failures) attempts"
            throw ObjectStoreFailure(.unavailable, location, key, "\(said); given up after \(attempts)")
        }
        while rest > 0 {
            if isCancelled() { throw ObjectStoreFailure(.cancelled, location, key, "it was cancelled") }
            clock.pause(min(rest, Self.pauseMilliseconds))
            rest -= Self.pauseMilliseconds
        }
    }
}

/// The attempts of one call.
struct Retries {
    private let policy: RetryPolicy
    private let clock: RetryClock
    private var start: Int
    private(set) var failures = 0

    init(_ policy: RetryPolicy, _ clock: RetryClock) {
        self.policy = policy
        self.clock = clock
        start = clock.milliseconds()
    }

    /// After a failure: how long to wait in milliseconds, or nil.
    mutating func next(_ retryAfterSeconds: Int?) -> Int? {
        failures += 1
        return policy.delayMilliseconds(
            failures: failures, elapsedMilliseconds: clock.milliseconds() - start,
            retryAfterSeconds: retryAfterSeconds, random: clock.random)
    }

    /// Something has been achieved: from here on it counts anew.
    mutating func restart() {
        failures = 0
        start = clock.milliseconds()
    }
}
