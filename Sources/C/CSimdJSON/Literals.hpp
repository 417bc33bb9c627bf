#pragma once
#include <cstddef>
#include <cstdint>

namespace pyra {

/// A JSON integer literal (no fraction, no exponent) within 64 bits; -0 is 0.
bool parseInt64(const uint8_t *bytes, size_t count, int64_t &value);

/// A JSON number literal, correctly rounded. One beyond the largest double is none; one too small for any is
/// zero.
bool parseDouble(const uint8_t *bytes, size_t count, double &value);

/// `true` or `false`.
bool parseBoolean(const uint8_t *bytes, size_t count, uint8_t &value);

bool isNull(const uint8_t *bytes, size_t count);

}
