/// The stable names of everything that can go wrong. Clients branch on them, so none is ever renamed.
package enum ProblemCode: String, CaseIterable, Sendable {
    case routeNotFound = "route_not_found"
    case logNotFound = "log_not_found"
    case keyNotFound = "key_not_found"
    case snapshotNotFound = "snapshot_not_found"
    case queryNotFound = "query_not_found"
    case snapshotDamaged = "snapshot_damaged"
    case storeUnavailable = "store_unavailable"
    case storeRefused = "store_refused"
    case jobCancelled = "job_cancelled"
    case logExists = "log_exists"
    case invalidArgument = "invalid_argument"
    case invalidJSON = "invalid_json"
    case unknownField = "unknown_field"
    case offsetOutOfRange = "offset_out_of_range"
    case offsetTrimmed = "offset_trimmed"
    case preconditionFailed = "precondition_failed"
    case offsetMismatch = "offset_mismatch"
    case epochChanged = "epoch_changed"
    case integerOverflow = "integer_overflow"
    case notAnInteger = "not_an_integer"
    case transactionFailed = "transaction_failed"
    case idempotencyMismatch = "idempotency_mismatch"
    case producerFenced = "producer_fenced"
    case producerGap = "producer_gap"
    case acknowledgementUnavailable = "ack_unavailable"
    case payloadTooLarge = "payload_too_large"
    case memoryFull = "memory_full"
    case diskFull = "disk_full"
    case logReadOnly = "log_read_only"
    case archiveUnavailable = "archive_unavailable"
    case archiveDamaged = "archive_damaged"
    case unsupportedMediaType = "unsupported_media_type"
    case notAcceptable = "not_acceptable"
    case methodNotAllowed = "method_not_allowed"
    case queryError = "query_error"
    case queryTimeout = "query_timeout"
    case queryCancelled = "query_cancelled"
    case unauthorized
    case forbidden
    case rateLimited = "rate_limited"
    case overloaded
    case shuttingDown = "shutting_down"
    case notReady = "not_ready"
    case notImplemented = "not_implemented"
    /// A mistake of ours: the only code that no client can cause by what it sends.
    case `internal`

    /// The status of an answer with this code, unless a problem says another.
    package var status: Int {
        switch self {
        case .invalidArgument, .invalidJSON, .unknownField, .acknowledgementUnavailable, .queryError: 400
        case .unauthorized: 401
        case .forbidden, .producerFenced: 403
        case .routeNotFound, .logNotFound, .keyNotFound, .snapshotNotFound, .queryNotFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .logExists, .epochChanged, .integerOverflow, .notAnInteger, .transactionFailed,
            .idempotencyMismatch, .producerGap, .queryCancelled, .snapshotDamaged, .jobCancelled:
            409
        case .offsetTrimmed: 410
        case .preconditionFailed, .offsetMismatch: 412
        case .payloadTooLarge: 413
        case .unsupportedMediaType: 415
        case .offsetOutOfRange: 416
        case .rateLimited: 429
        case .internal, .archiveDamaged: 500
        case .notImplemented: 501
        case .storeRefused: 502
        case .logReadOnly, .archiveUnavailable, .overloaded, .shuttingDown, .notReady, .storeUnavailable:
            503
        case .queryTimeout: 504
        case .memoryFull, .diskFull: 507
        }
    }

    /// One line for people that is the same for every occurrence.
    package var title: String {
        switch self {
        case .routeNotFound: "There is nothing at this path"
        case .logNotFound: "There is no such log"
        case .keyNotFound: "There is no such key"
        case .snapshotNotFound: "There is no such snapshot"
        case .queryNotFound: "There is no such query"
        case .snapshotDamaged: "The snapshot is damaged"
        case .storeUnavailable: "The object store does not answer"
        case .storeRefused: "The object store refuses this"
        case .jobCancelled: "It was cancelled"
        case .logExists: "The log exists already"
        case .invalidArgument: "The request is not valid"
        case .invalidJSON: "The JSON is not valid"
        case .unknownField: "There is no such field or parameter"
        case .offsetOutOfRange: "The offset lies beyond the tail"
        case .offsetTrimmed: "The offset lies before the first record that is kept"
        case .preconditionFailed: "The condition of the request does not hold"
        case .offsetMismatch: "The tail is not the expected one"
        case .epochChanged: "The position belongs to another life of the log"
        case .integerOverflow: "The result does not fit into 64 bits"
        case .notAnInteger: "The value is not an integer"
        case .transactionFailed: "An operation of the transaction cannot be done"
        case .idempotencyMismatch: "The idempotency key was used for another request"
        case .producerFenced: "A newer producer has taken over"
        case .producerGap: "Sequence numbers are missing"
        case .acknowledgementUnavailable: "The log cannot acknowledge in this way"
        case .payloadTooLarge: "The request is too large"
        case .memoryFull: "The memory is used up"
        case .diskFull: "The disk is full"
        case .logReadOnly: "The log accepts no writes"
        case .archiveUnavailable: "The archive does not answer"
        case .archiveDamaged: "The archive is damaged"
        case .unsupportedMediaType: "The body has a type that is not accepted here"
        case .notAcceptable: "No acceptable type can be answered"
        case .methodNotAllowed: "The method is not allowed here"
        case .queryError: "The query is not valid"
        case .queryTimeout: "The query took too long"
        case .queryCancelled: "The query was cancelled"
        case .unauthorized: "A valid token is needed"
        case .forbidden: "This is not permitted"
        case .rateLimited: "Too many requests"
        case .overloaded: "The server is overloaded"
        case .shuttingDown: "The server is shutting down"
        case .notReady: "Not ready yet"
        case .notImplemented: "Not implemented"
        case .internal: "The server made a mistake"
        }
    }

    /// Whether the same request may succeed later without being changed.
    package var isRetryable: Bool {
        switch self {
        case .memoryFull, .diskFull, .archiveUnavailable, .rateLimited, .overloaded, .shuttingDown, .notReady,
            .queryTimeout, .storeUnavailable, .internal:
            true
        case .routeNotFound, .logNotFound, .keyNotFound, .snapshotNotFound, .queryNotFound, .logExists,
            .invalidArgument,
            .invalidJSON, .unknownField, .offsetOutOfRange, .offsetTrimmed, .preconditionFailed,
            .offsetMismatch,
            .epochChanged, .integerOverflow, .notAnInteger, .transactionFailed, .idempotencyMismatch,
            .producerFenced, .producerGap, .acknowledgementUnavailable, .payloadTooLarge, .logReadOnly,
            .archiveDamaged,
            .unsupportedMediaType, .notAcceptable, .methodNotAllowed, .queryError, .queryCancelled,
            .unauthorized,
            .forbidden, .notImplemented, .snapshotDamaged, .storeRefused, .jobCancelled:
            false
        }
    }
}
