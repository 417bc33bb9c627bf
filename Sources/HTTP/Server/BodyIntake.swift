import Platform
import Synchronization

/// Takes in the body of one request: decodes, counts and bounds it. Used by the connection's thread only.
final class BodyIntake {
    private enum Destination {
        case dropped
        case buffer(ByteBuffer, limit: Int, what: String)
        case consumer(any BodyConsumer)
    }

    /// A client's word for the length of its body reserves no more than this.
    private static let reservedBytesMax = 1 << 20

    private let destination: Destination
    private let decoder: Decoder?
    private let budget: BodyBudget
    private var droppedBytes = 0
    private var chargedBytes = 0
    private var isOver = false

    /// - Throws: `bodyTooLarge`, `overloaded` when the announced length says so already; `unsupportedContentCoding`.
    init(
        _ handling: BodyHandling, coding: UnsafeRawBufferPointer?, announcedBytes: Int?, budget: BodyBudget
    ) throws(HTTPFailure) {
        self.budget = budget
        let announced = announcedBytes ?? 0
        switch handling {
        case .none:
            guard announced <= BodyHandling.droppedBytesMax else { throw Self.notExpected }
            destination = .dropped
            decoder = nil
            return
        case .buffered(let limit, let what):
            guard announced <= limit else { throw .bodyTooLarge(limit: limit, what: what) }
            try budget.refuseBeyond(announced)
            let buffer = ByteBuffer(capacity: min(announced, Self.reservedBytesMax))
            destination = .buffer(buffer, limit: limit, what: what)
        case .streamed(let consumer): destination = .consumer(consumer)
        }
        do throws(HTTPFailure) {
            decoder = try Self.decoder(for: coding)
        } catch {
            if case .streamed(let consumer) = handling { consumer.cancelled() }
            throw error
        }
    }

    private static func decoder(for coding: UnsafeRawBufferPointer?) throws(HTTPFailure) -> Decoder? {
        guard let coding, let known = try ContentCoding.of(coding) else { return nil }
        guard let decoder = Decoder(known) else {
            throw .overloaded(detail: "no memory to decode the body", retryAfterSeconds: 1)
        }
        return decoder
    }

    deinit { budget.release(chargedBytes) }

    /// - Throws: `HTTPFailure`, or what the consumer throws: the body is given up then.
    func take(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            guard let decoder else { return try store(bytes) }
            try decoder.decode(bytes) { try store($0) }
        } catch {
            cancel()
            throw error
        }
    }

    /// The body is complete. A streamed one has its reply then, a buffered one its bytes.
    func finish(_ request: Request) throws -> Reply? {
        do { try decoder?.finish() } catch {
            cancel()
            throw error
        }
        isOver = true
        switch destination {
        case .dropped: return nil
        case .buffer(let buffer, _, _):
            request.body = buffer
            return nil
        case .consumer(let consumer): return try consumer.finish()
        }
    }

    /// The body will not be completed. Does nothing after `finish`.
    func cancel() {
        guard !isOver else { return }
        isOver = true
        if case .consumer(let consumer) = destination { consumer.cancelled() }
    }

    private static var notExpected: HTTPFailure {
        .bodyTooLarge(limit: BodyHandling.droppedBytesMax, what: "a body where none is expected")
    }

    private func store(_ bytes: UnsafeRawBufferPointer) throws {
        switch destination {
        case .dropped:
            droppedBytes += bytes.count
            guard droppedBytes <= BodyHandling.droppedBytesMax else { throw Self.notExpected }
        case .buffer(let buffer, let limit, let what):
            guard bytes.count <= limit - buffer.count else {
                throw HTTPFailure.bodyTooLarge(limit: limit, what: what)
            }
            let total = buffer.count + bytes.count
            if total > BodyBudget.coveredBytes {
                try budget.charge(total - chargedBytes, before: chargedBytes)
                chargedBytes = total
            }
            buffer.append(bytes)
        case .consumer(let consumer): try consumer.consume(bytes)
        }
    }
}
