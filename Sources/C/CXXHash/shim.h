#pragma once
// XXH3 inlined into the caller: for short keys the call would cost more than the hash.
#define XXH_INLINE_ALL
// The importer says that it does not optimise, and the header would leave its parts as calls.
#define XXH_NO_INLINE_HINTS 0
#include <xxhash.h>

static inline uint64_t pyra_xxh3(const void *bytes, size_t length, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, length, seed);
}
