import CArrow
import Synchronization

/// How often a producer's structures were released.
final class Releases: Sendable {
    private let value = Atomic<Int>(0)
    var count: Int { value.load(ordering: .relaxed) }
    func add() { value.add(1, ordering: .relaxed) }
}

/// What a producer keeps for a structure it has filled, until that is released.
final class Kept {
    private var memory: [UnsafeMutableRawPointer] = []
    private let releases: Releases
    init(_ releases: Releases) { self.releases = releases }
    deinit {
        for pointer in memory { pointer.deallocate() }
        releases.add()
    }

    func copy(_ bytes: [UInt8]) -> UnsafeMutableRawPointer {
        let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
        bytes.withUnsafeBytes {
            pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(pointer), byteCount: $0.count)
        }
        memory.append(pointer)
        return pointer
    }

    func text(_ text: String) -> UnsafePointer<CChar> {
        UnsafePointer(copy(Array(text.utf8) + [0]).assumingMemoryBound(to: CChar.self))
    }

    func array<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        pointer.initialize(from: elements, count: elements.count)
        memory.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }

    var retained: UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static func drop(_ pointer: UnsafeMutableRawPointer?) {
        pointer.map { Unmanaged<Kept>.fromOpaque($0).release() }
    }
}

/// A schema as a producer fills it.
struct ProducedSchema {
    var format: String
    var name = ""
    var flags: Int32 = ARROW_FLAG_NULLABLE
    var metadata: [UInt8]?
    var children: [ProducedSchema] = []
    var dictionary: [ProducedSchema] = []

    init(_ format: String, _ name: String = "", _ children: [ProducedSchema] = []) {
        self.format = format
        self.name = name
        self.children = children
    }

    static func batch(_ columns: ProducedSchema...) -> ProducedSchema { .init("+s", "", columns) }

    func with(_ change: (inout ProducedSchema) -> Void) -> ProducedSchema {
        var changed = self
        change(&changed)
        return changed
    }

    func fill(_ target: UnsafeMutableRawPointer, _ releases: Releases = Releases()) {
        target.assumingMemoryBound(to: ArrowSchema.self).pointee = make(releases)
    }

    private func make(_ releases: Releases) -> ArrowSchema {
        let kept = Kept(releases)
        let parts = (children + dictionary).map { kept.array([$0.make(releases)]) }
        var schema = ArrowSchema()
        schema.format = kept.text(format)
        schema.name = kept.text(name)
        schema.metadata = metadata.map { UnsafePointer(kept.copy($0).assumingMemoryBound(to: CChar.self)) }
        schema.flags = Int64(flags)
        schema.n_children = Int64(children.count)
        schema.children = kept.array(parts.prefix(children.count).map { $0 })
        schema.dictionary = dictionary.isEmpty ? nil : parts.last
        schema.private_data = kept.retained
        schema.release = { schema in
            guard let schema else { return }
            for index in 0..<Int(schema.pointee.n_children) {
                if let child = schema.pointee.children[index] { child.pointee.release?(child) }
            }
            if let values = schema.pointee.dictionary { values.pointee.release?(values) }
            Kept.drop(schema.pointee.private_data)
            schema.pointee.release = nil
        }
        return schema
    }
}

/// An array as a producer fills it.
struct ProducedArray {
    var length: Int64
    var offset: Int64 = 0
    var nulls: Int64 = -1
    var buffers: [[UInt8]?]
    var children: [ProducedArray] = []
    var dictionary: [ProducedArray] = []

    init(_ length: Int64, offset: Int64 = 0, _ buffers: [[UInt8]?], _ children: [ProducedArray] = []) {
        self.length = length
        self.offset = offset
        self.buffers = buffers
        self.children = children
    }

    /// A batch of whole columns.
    static func batch(_ columns: ProducedArray...) -> ProducedArray {
        .init(columns.first?.length ?? 0, [nil], columns)
    }

    func with(_ change: (inout ProducedArray) -> Void) -> ProducedArray {
        var changed = self
        change(&changed)
        return changed
    }

    func fill(_ target: UnsafeMutableRawPointer, _ releases: Releases = Releases()) {
        target.assumingMemoryBound(to: ArrowArray.self).pointee = make(releases)
    }

    private func make(_ releases: Releases) -> ArrowArray {
        let kept = Kept(releases)
        let parts = (children + dictionary).map { kept.array([$0.make(releases)]) }
        var array = ArrowArray()
        array.length = length
        array.null_count = nulls
        array.offset = offset
        array.n_buffers = Int64(buffers.count)
        array.buffers = kept.array(buffers.map { $0.map { UnsafeRawPointer(kept.copy($0)) } })
        array.n_children = Int64(children.count)
        array.children = kept.array(parts.prefix(children.count).map { $0 })
        array.dictionary = dictionary.isEmpty ? nil : parts.last
        array.private_data = kept.retained
        array.release = { array in
            guard let array else { return }
            for index in 0..<Int(array.pointee.n_children) {
                if let child = array.pointee.children[index] { child.pointee.release?(child) }
            }
            if let values = array.pointee.dictionary { values.pointee.release?(values) }
            Kept.drop(array.pointee.private_data)
            array.pointee.release = nil
        }
        return array
    }
}

/// The bytes of numbers, as they lie in a buffer.
func raw<Number: FixedWidthInteger>(_ type: Number.Type, _ numbers: Number...) -> [UInt8] {
    numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}
