import Testing

@testable import StorageEngine

@Suite("The key index")
struct KeyIndexTests {
    @Test("holds what a dictionary holds through growth, splits and removals")
    func model() {
        var index = KeyIndex(pages: SlabPool())
        var model: [UInt64: Int64] = [:]
        var random = SystemRandomNumberGenerator()
        for step in 0..<200_000 {
            // Few distinct low bits: long runs and wrap-arounds.
            let hash = UInt64.random(in: 0..<40_000, using: &random) &* 0x9E37_79B9_7F4A_7C15
            if Int.random(in: 0..<3, using: &random) == 0 {
                if let place = index.first(hash) { index.remove(at: place) }
                model[hash] = nil
            } else if let place = index.first(hash) {
                index.setOffset(at: place, Int64(step))
                model[hash] = Int64(step)
            } else {
                index.insert(hash, Int64(step))
                model[hash] = Int64(step)
            }
        }
        #expect(index.count == model.count)
        for (hash, offset) in model { #expect(index.first(hash).map { index.offset(at: $0) } == offset) }
    }

    @Test("keys with equal hashes are all found, one after the other")
    func equalHashes() {
        var index = KeyIndex(pages: SlabPool())
        for offset in 0..<5 { index.insert(42, Int64(offset)) }
        var found: Set<Int64> = []
        var place = index.first(42)
        while let current = place {
            found.insert(index.offset(at: current))
            place = index.next(after: current, 42)
        }
        #expect(found == [0, 1, 2, 3, 4])
    }

    @Test("an index with few keys takes a few hundred bytes")
    func small() {
        let index = KeyIndex(pages: SlabPool())
        #expect(index.allocatedBytes < 512)
    }
}

@Suite("Finding the batch of an offset")
struct BatchListTests {
    private func batch(base: Int64, end: Int64) -> Batch {
        let plan = ColumnPlan(need: .init(rows: 1), habit: .init(), target: 4096)
        let batch = Batch(base: base, plan: plan, pool: SlabPool(), account: MemoryAccount(name: "test"))
        batch.header.pointee.endOfRange = end
        return batch
    }

    @Test("every offset finds its batch, or the next one behind a hole, after removals and replacements")
    func positions() {
        for seed in 0..<30 {
            var list = BatchList()
            var ranges: [Range<Int64>] = []
            var next = Int64(seed * 777)
            for _ in 0..<60 {
                let base = next + [0, 0, 0, 5, 3000].randomElement()!
                let end = base + [1, 10, 1000, 5000].randomElement()!
                list.append(batch(base: base, end: end))
                ranges.append(base..<end)
                next = end
            }
            for _ in 0..<20 {
                if Bool.random(), ranges.count > 3 {
                    list.removeFirst(1)
                    ranges.removeFirst()
                } else if ranges.count > 6 {
                    let start = Int.random(in: 0..<ranges.count - 4)
                    let merged = ranges[start].lowerBound..<ranges[start + 2].upperBound
                    list.replace(
                        start..<start + 3, with: [batch(base: merged.lowerBound, end: merged.upperBound)])
                    ranges.replaceSubrange(start..<start + 3, with: [merged])
                }
                for _ in 0..<200 {
                    let offset = Int64.random(in: 0...next + 100)
                    let expected = ranges.firstIndex { offset < $0.upperBound } ?? ranges.count
                    #expect(list.position(of: offset) == expected)
                }
            }
        }
    }
}
