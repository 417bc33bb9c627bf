#include "Names.hpp"
#include "Walk.hpp"

#include <chrono>

namespace pyra {

namespace {

// Objects used as dictionaries bring ever new names: beyond these limits a name that is no field is not
// remembered.
constexpr size_t spellingsMax = 4096;
constexpr size_t spellingBytesMax = 256;
constexpr size_t entriesMin = 128;

/// All bits of a product of 64-bit numbers, folded: each depends on all of both factors.
inline uint64_t mix(uint64_t one, uint64_t other) {
    auto product = static_cast<unsigned __int128>(one) * other;
    return uint64_t(product) ^ uint64_t(product >> 64);
}

/// Nobody who sends names can tell which of them collide.
uint64_t freshSeed() {
    static const uint8_t anywhere = 0;
    auto now = uint64_t(std::chrono::steady_clock::now().time_since_epoch().count());
    return mix(now | 1, uint64_t(reinterpret_cast<uintptr_t>(&anywhere)) ^ 0x9E3779B97F4A7C15);
}

uint64_t loadUpToEight(const uint8_t *bytes, size_t count) {
    uint64_t word = 0;
    memcpy(&word, bytes, count < 8 ? count : 8);
    return word;
}

}

Names::Names(size_t fieldsMax) : fieldsMax(fieldsMax), seed(freshSeed()), entries(entriesMin) {}

void Names::clear() {
    fields.clear();
    spellings.clear();
    arena.clear();
    entries.assign(entriesMin, Entry());
    first.next = unkept.next = nullptr;
    isCut = false;
}

uint64_t Names::hash(const uint8_t *bytes, size_t count, bool isEscaped) const {
    constexpr uint64_t odd = 0xD6E8FEB86659FD93;
    uint64_t hash = mix(seed ^ count, odd + isEscaped);
    for (; count > 8; bytes += 8, count -= 8) { hash = mix(hash ^ loadEight(bytes), odd); }
    return mix(hash ^ loadUpToEight(bytes, count), odd);
}

Spelling *Names::find(const uint8_t *bytes, size_t count, bool isEscaped, uint64_t hash) const {
    for (size_t place = hash;; place++) {
        const Entry &entry = entries[place & (entries.size() - 1)];
        if (!entry.spelling) { return nullptr; }
        if (entry.hash == hash && entry.spelling->count == count && entry.spelling->isEscaped == isEscaped
            && memcmp(entry.spelling->bytes, bytes, count) == 0) {
            return entry.spelling;
        }
    }
}

void Names::enter(Entry entry) {
    size_t place = entry.hash;
    while (entries[place & (entries.size() - 1)].spelling) { place++; }
    entries[place & (entries.size() - 1)] = entry;
}

void Names::grow() {
    std::vector<Entry> before(entries.size() * 2);
    before.swap(entries);
    for (const Entry &entry : before) {
        if (entry.spelling) { enter(entry); }
    }
}

Spelling &Names::keep(const uint8_t *bytes, size_t count, bool isEscaped, uint64_t hash) {
    if ((spellings.size() + 1) * 2 > entries.size()) { grow(); }
    Spelling &spelling = spellings.emplace_back();
    spelling.bytes = arena.add(bytes, count);
    spelling.count = uint32_t(count);
    spelling.head = loadUpToEight(bytes, count);
    spelling.tail = count > 8 ? loadEight(bytes + count - 8) : 0;
    spelling.isEscaped = isEscaped;
    enter({hash, &spelling});
    return spelling;
}

int32_t Names::add(const uint8_t *name, size_t count) {
    // A decoded name is its own spelling, unless it holds what cannot be written without an escape: no text's
    // bytes equal it then.
    uint64_t hash = this->hash(name, count, false);
    Spelling *spelling = find(name, count, false, hash);
    if (!spelling) { spelling = &keep(name, count, false, hash); }
    if (spelling->field == noField) {
        fields.push_back({spelling->bytes, spelling->count});
        spelling->field = int32_t(fields.size() - 1);
    }
    return spelling->field;
}

int32_t Names::fieldOf(const uint8_t *name, size_t count) {
    if (Spelling *spelling = find(name, count, false, hash(name, count, false))) {
        if (spelling->field != noField) { return spelling->field; }
    }
    if (fields.size() < fieldsMax) { return add(name, count); }
    isCut = true;
    return noField;
}

Spelling &Names::resolve(const uint8_t *name, uint32_t count) {
    bool isEscaped = memchr(name, '\\', count) != nullptr;
    uint64_t hash = this->hash(name, count, isEscaped);
    if (Spelling *spelling = find(name, count, isEscaped, hash)) { return *spelling; }
    int32_t field;
    if (isEscaped) {
        decoded.clear();
        // Even an empty name gets an address.
        decoded.reserve(count);
        decodeString(name, count, decoded);
        field = fieldOf(decoded.data(), decoded.size());
    } else if (fields.size() < fieldsMax) {
        add(name, count);
        return *find(name, count, false, hash);
    } else {
        field = noField;
        isCut = true;
    }
    if (spellings.size() >= spellingsMax || count > spellingBytesMax) {
        unkept.field = field;
        return unkept;
    }
    Spelling &spelling = keep(name, count, isEscaped, hash);
    spelling.field = field;
    return spelling;
}

}
