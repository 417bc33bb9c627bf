package struct HTTPStartFailure: Error, CustomStringConvertible {
    package let description: String
    /// The address is taken: exit code 69.
    package let addressInUse: Bool
    package init(description: String, addressInUse: Bool) {
        self.description = description
        self.addressInUse = addressInUse
    }
}
