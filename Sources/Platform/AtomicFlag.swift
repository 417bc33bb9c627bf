import Synchronization

/// Yes or no, from any thread.
package final class AtomicFlag: Sendable {
    private let word = Atomic<Bool>(false)

    package init() {}

    package var value: Bool {
        get { word.load(ordering: .acquiring) }
        set { word.store(newValue, ordering: .releasing) }
    }
}
