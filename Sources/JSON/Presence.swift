/// A field that may be left out, or be null on purpose.
package enum Presence<Value: Sendable>: Sendable {
    case absent
    case null
    case value(Value)

    /// Nil when absent and when null.
    package var valueOrNil: Value? {
        if case .value(let value) = self { value } else { nil }
    }

    /// Assigns unless absent: null clears.
    package func assign(to target: inout Value?) {
        switch self {
        case .absent: break
        case .null: target = nil
        case .value(let value): target = value
        }
    }
}

extension Presence: Equatable where Value: Equatable {}
