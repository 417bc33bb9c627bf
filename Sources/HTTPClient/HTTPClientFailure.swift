/// No answer, or half of one: the connection, the name, the protocol.
package struct HTTPClientFailure: Error, CustomStringConvertible {
    /// libcurl's own words.
    package let description: String

    package init(_ description: String) { self.description = description }
}
