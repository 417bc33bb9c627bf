import CMicroHTTPD
import Glibc

/// What the system said to the last failed call of this thread.
enum SystemError {
    static var current: String { text(errno) }
    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
