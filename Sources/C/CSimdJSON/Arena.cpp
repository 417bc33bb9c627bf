#include "Arena.hpp"

#include <algorithm>
#include <cstring>

namespace pyra {

namespace {

constexpr size_t blockBytesMin = 1024;
constexpr size_t blockBytesMax = 256 * 1024;

}

const uint8_t *Arena::add(const uint8_t *bytes, size_t count) {
    // Even no bytes get an address.
    if (count > available || !free) {
        // Blocks grow with what there is: a few texts cost little, many cost few allocations, and not much is left over.
        size_t size = std::max(count, std::clamp(total / 2, blockBytesMin, blockBytesMax));
        blocks.emplace_back(new uint8_t[size]);
        free = blocks.back().get();
        available = size;
        total += size;
    }
    uint8_t *place = free;
    if (count > 0) { memcpy(place, bytes, count); }
    free += count;
    available -= count;
    return place;
}

void Arena::clear() {
    blocks.clear();
    free = nullptr;
    available = total = 0;
}

}
