#pragma once
#include <cstdint>
#include <cstring>

namespace pyra {

inline uint64_t loadEight(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

inline uint32_t loadFour(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/// Ones for the first `count` bytes in memory of a word (this machine is little-endian, as all of ours are).
inline uint64_t firstBytes(size_t count) {
    return count >= 8 ? ~uint64_t(0) : (uint64_t(1) << (8 * count)) - 1;
}

}
