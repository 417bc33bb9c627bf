/// What the command line asks for.
struct Request {
    typealias Test = (name: String, run: (_ scale: Double) throws -> Void)

    /// In this order: what looks at the resident size comes before the histories that fill the heap.
    static var all: [Test] {
        [
            ("overwrite", Overwrite.run), ("churn", Churn.run), ("traces", Traces.run),
            ("expiry", ExpiryStorm.run),
            ("pinned", Pinned.run), ("bank", Bank.run),
        ]
    }

    /// The share of the long form's operations.
    var scale = 1.0
    var tests = Request.all

    init(_ arguments: some Sequence<String>) throws {
        var names: [String] = []
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                names.append(argument)
                continue
            }
            guard argument == "--scale", let value = rest.popFirst().flatMap(Double.init), value > 0,
                value <= 1
            else {
                throw Failure("usage: pyralog-torture [--scale FRACTION] [TEST…]")
            }
            scale = value
        }
        for name in names where !tests.contains(where: { $0.name == name }) {
            throw Failure("there is no test \(name), only \(tests.map(\.name).joined(separator: ", "))")
        }
        if !names.isEmpty { tests = tests.filter { names.contains($0.name) } }
    }
}
