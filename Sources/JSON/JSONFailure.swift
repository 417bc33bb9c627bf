/// A text that is not acceptable JSON.
package struct JSONFailure: Error, Sendable, Equatable {
    package let message: String
    /// Byte position in the text, from 0, where known.
    package let position: Int?
    package init(message: String, position: Int?) {
        self.message = message
        self.position = position
    }
}
