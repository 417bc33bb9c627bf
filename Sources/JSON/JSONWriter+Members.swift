extension JSONWriter {
    package mutating func member(_ name: StaticString, _ value: Int) {
        key(name)
        integer(value)
    }

    package mutating func member(_ name: StaticString, _ value: Int64) {
        key(name)
        integer(value)
    }

    package mutating func member(_ name: StaticString, _ value: UInt64) {
        key(name)
        integer(value)
    }

    package mutating func member(_ name: StaticString, _ value: Double) {
        key(name)
        real(value)
    }

    package mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    package mutating func member(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    package mutating func member(_ name: StaticString, _ value: StaticString) {
        key(name)
        string(value)
    }

    package mutating func member(_ name: StaticString, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    /// Null when there is no value.
    package mutating func member(_ name: StaticString, orNull value: Int64?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    /// Null when there is no value.
    package mutating func member(_ name: StaticString, orNull value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    package mutating func rawMember(_ name: StaticString, _ text: UnsafeRawBufferPointer) {
        key(name)
        raw(text)
    }

    /// A name or key of any bytes: `name` when they are UTF-8, else `base64Name`.
    package mutating func bytesMember(
        _ name: StaticString, base64 base64Name: StaticString, _ value: UnsafeRawBufferPointer
    ) {
        if isValidUTF8(value) {
            key(name)
            string(utf8: value)
        } else {
            key(base64Name)
            base64(value)
        }
    }
}
