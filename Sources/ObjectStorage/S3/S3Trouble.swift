import HTTPClient

/// Why an attempt did not succeed.
enum S3Trouble: Error {
    /// It would not succeed the next time either.
    case final(ObjectStoreFailure)
    /// It may be over soon.
    case passing(String, retryAfterSeconds: Int? = nil)
    /// S3's answer says what is wrong by this code, and who asked knows what to make of it.
    case code(String, ObjectStoreFailure)
}

/// What S3 says in the body of an answer that is an error.
struct S3Error {
    /// As `NoSuchKey`; empty when there is no body, as after a HEAD.
    var code = ""
    var message = ""
    var region = ""

    /// Nil: the document is something else.
    init?(_ body: [UInt8]) {
        var error = (code: "", message: "", region: "", isOne: false)
        do {
            try XMLReader.read(body) { path, text in
                guard path.first == "Error", path.count == 2 else { return }
                error.isOne = true
                switch path[1] {
                case "Code": error.code = text
                case "Message": error.message = text
                case "Region": error.region = text
                default: break
                }
            }
        } catch {
            return nil
        }
        guard error.isOne else { return nil }
        (code, message, region) = (error.code, error.message, error.region)
    }

    init() {}

    /// Trouble that is over soon, whatever the status: what was sent was damaged or cut on its way, or the server is busy.
    var mayPass: Bool {
        [
            "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException",
            "OperationAborted", "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
            "IncompleteBody", "ThrottlingException", "TooManyRequests",
        ].contains(code)
    }
}

extension S3Store {
    /// What an answer that is no success means.
    func trouble(_ response: ClientResponse, _ body: [UInt8], _ key: String?) -> S3Trouble {
        let error = S3Error(body) ?? S3Error()
        let words = [error.code, error.message].filter { !$0.isEmpty }.joined(separator: ": ")
        let said = configuration.withoutSecrets(
            "the server answered \(response.status)\(words.isEmpty ? "" : ", \(words.prefix(500))")")
        if error.mayPass || [408, 429, 500, 502, 503, 504].contains(response.status) {
            return .passing(said, retryAfterSeconds: response.field("Retry-After").flatMap { Int($0) })
        }
        func failure(_ kind: ObjectStoreFailure.Kind, _ advice: String) -> S3Trouble {
            let failure = ObjectStoreFailure(
                kind, location, key, advice.isEmpty ? said : "\(said); \(advice)")
            return error.code.isEmpty ? .final(failure) : .code(error.code, failure)
        }
        switch response.status {
        case 404 where error.code == "NoSuchBucket":
            return failure(.refused, "make the bucket, or correct the location")
        case 404: return failure(.notFound, "")
        case 403 where error.code == "RequestTimeTooSkewed":
            return failure(.denied, "set this machine's clock")
        case 401, 403:
            return failure(
                .denied, "look at the credentials (AWS_ACCESS_KEY_ID and the others) and what they allow")
        case 301, 307, 308:
            let region = error.region.isEmpty ? response.field("x-amz-bucket-region") ?? "" : error.region
            return failure(
                .refused,
                "the bucket is elsewhere\(region.isEmpty ? "" : ", in \(region)"): correct the region or the endpoint"
            )
        default: return failure(.refused, "")
        }
    }

    func trouble(_ failure: HTTPClientFailure, _ key: String?) -> S3Trouble {
        switch failure.kind {
        case .connection: return .passing(failure.description)
        case .untrusted:
            return .final(
                ObjectStoreFailure(
                    .refused, location, key,
                    "\(failure.description); if the server's certificate is of an authority of your own, name its file in AWS_CA_BUNDLE"
                ))
        case .unusable: return .final(ObjectStoreFailure(.refused, location, key, failure.description))
        case .cancelled:
            return .final(ObjectStoreFailure(.cancelled, location, key, "it was cancelled"))
        case .body:
            return .final(
                ObjectStoreFailure(.source, location, key, failure.description, cause: failure.cause))
        }
    }
}
