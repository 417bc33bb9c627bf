#pragma once
#include "Arena.hpp"
#include "Bytes.hpp"
#include "CSimdJSON.h"

#include <deque>
#include <vector>

namespace pyra {

constexpr int32_t noField = -1;

/// A member's name as a text writes it, and the field it names.
struct Spelling {
    const uint8_t *bytes = nullptr;
    uint32_t count = UINT32_MAX;
    int32_t field = noField;
    /// The first eight bytes (zeros behind a shorter name) and, of longer names, the last eight.
    uint64_t head = 0;
    uint64_t tail = 0;
    /// What followed it in the object before: the first guess for what follows it now.
    Spelling *next = nullptr;
    bool isEscaped = false;

    /// Compares with a name in a text that goes on until `end`.
    bool isAt(const uint8_t *name, uint32_t nameCount, const uint8_t *end) const {
        if (nameCount != count) { return false; }
        if (end - name < 8) { return memcmp(name, bytes, count) == 0; }
        uint64_t different = (loadEight(name) ^ head) & firstBytes(count);
        if (count <= 8 || different != 0) { return different == 0; }
        if (loadEight(name + count - 8) != tail) { return false; }
        return count <= 16 || memcmp(name + 8, bytes + 8, count - 16) == 0;
    }
};

/// The fields' names in all their spellings, and the members that are no fields, so that they are known
/// again.
class Names {
public:
    /// - Parameter fieldsMax: how many fields may be added by names that texts bring; 0: those of `add` only.
    explicit Names(size_t fieldsMax);

    struct Field {
        const uint8_t *bytes;
        uint32_t count;
    };
    std::vector<Field> fields;
    /// A name was met for which there was no room.
    bool isCut = false;
    /// What precedes an object's first member.
    Spelling first;

    /// The field of a decoded name, which is added unless it is there.
    int32_t add(const uint8_t *name, size_t count);
    /// The spelling of a member's name. Its `field` holds until the next call.
    Spelling &resolve(const uint8_t *name, uint32_t count);
    void clear();

private:
    struct Entry {
        uint64_t hash = 0;
        Spelling *spelling = nullptr;
    };

    const size_t fieldsMax;
    const uint64_t seed;
    Arena arena;
    std::deque<Spelling> spellings;
    /// Open addressing, at most half full.
    std::vector<Entry> entries;
    std::vector<uint8_t> decoded;
    /// Stands for names that are not kept; equals none.
    Spelling unkept;

    uint64_t hash(const uint8_t *bytes, size_t count, bool isEscaped) const;
    Spelling *find(const uint8_t *bytes, size_t count, bool isEscaped, uint64_t hash) const;
    Spelling &keep(const uint8_t *bytes, size_t count, bool isEscaped, uint64_t hash);
    int32_t fieldOf(const uint8_t *name, size_t count);
    void enter(Entry entry);
    void grow();
};

}
