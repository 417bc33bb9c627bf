package enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case post = "POST"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"

    /// The place of the method in tables with a slot a method.
    var index: Int {
        switch self {
        case .get: 0
        case .head: 1
        case .put: 2
        case .post: 3
        case .patch: 4
        case .delete: 5
        case .options: 6
        }
    }

    /// Methods are compared with case, as RFC 9110 wants it.
    /// - Returns: nil for a method this server does not know.
    init?(_ name: UnsafePointer<CChar>) {
        var bytes: UInt64 = 0
        var length = 0
        while name[length] != 0 {
            if length == 7 { return nil }
            bytes = bytes << 8 | UInt64(UInt8(bitPattern: name[length]))
            length += 1
        }
        switch bytes {
        case 0x47_4554: self = .get
        case 0x4845_4144: self = .head
        case 0x50_5554: self = .put
        case 0x504F_5354: self = .post
        case 0x50_4154_4348: self = .patch
        case 0x4445_4C45_5445: self = .delete
        case 0x4F_5054_494F_4E53: self = .options
        default: return nil
        }
    }
}
