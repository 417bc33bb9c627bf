import HTTP
import StorageEngine

extension ProducerStamp {
    private static let idBytesMax = 255

    /// `Producer-Id`, `Producer-Epoch`, `Producer-Seq`: all three, or none (nil).
    init?(_ request: Request) throws(Problem) {
        let id = request.field("Producer-Id")
        let epoch = try Self.number("Producer-Epoch", request.field("Producer-Epoch"))
        let sequence = try Self.number("Producer-Seq", request.field("Producer-Seq"))
        if id == nil, epoch == nil, sequence == nil { return nil }
        guard let id, let epoch, let sequence else {
            let missing = id == nil ? "Producer-Id" : epoch == nil ? "Producer-Epoch" : "Producer-Seq"
            throw .invalidArgument(missing, "is missing: Producer-Id, -Epoch and -Seq come together")
        }
        guard (1...Self.idBytesMax).contains(id.utf8.count) else {
            throw .invalidArgument("Producer-Id", "must have 1 to \(Self.idBytesMax) bytes")
        }
        self.init(id: id, epoch: epoch, sequence: sequence)
    }

    private static func number(_ name: String, _ text: String?) throws(Problem) -> Int64? {
        guard let text else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text) else {
            throw .outOfRange(name, 0...Int64.max)
        }
        return number
    }
}
