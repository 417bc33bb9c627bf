#include "Literals.hpp"
#include "Bytes.hpp"

#include <charconv>
#include <cmath>

namespace pyra {

namespace {

inline bool isDigit(uint8_t byte) { return uint8_t(byte - '0') < 10; }

/// Whether the eight bytes are digits: their high halves are 3, also after adding 6.
inline bool areDigits(uint64_t word) {
    constexpr uint64_t high = 0xF0F0F0F0F0F0F0F0, threes = 0x3030303030303030;
    return (word & high) == threes && ((word + 0x0606060606060606) & high) == threes;
}

/// The number that eight digits make: pairs, then fours, then the eight.
inline uint64_t eightDigits(uint64_t word) {
    word -= 0x3030303030303030;
    word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FF;
    word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFF;
    return (word * 10000 + (word >> 32)) & 0xFFFFFFFF;
}

/// Adds the digits from `byte` on to `value`, which may wrap; returns the first byte that is none.
inline const uint8_t *addDigits(const uint8_t *byte, const uint8_t *end, uint64_t &value) {
    while (end - byte >= 8 && areDigits(loadEight(byte))) {
        value = value * 100000000 + eightDigits(loadEight(byte));
        byte += 8;
    }
    while (byte < end && isDigit(*byte)) { value = value * 10 + uint64_t(*byte++ - '0'); }
    return byte;
}

/// A number literal taken apart.
struct Decimal {
    bool isNegative = false;
    /// The digits before and behind the point as one integer; wrong when there are more than 19 of them.
    uint64_t digits = 0;
    size_t digitCount = 0;
    /// Of ten, for `digits`.
    int64_t exponent = 0;
};

// Beyond it, no number of digits that a text can have brings a number back into a double's range.
constexpr int64_t exponentMax = int64_t(1) << 40;

bool parseExponent(const uint8_t *byte, const uint8_t *end, int64_t &exponent) {
    bool isNegative = false;
    if (byte < end && (*byte == '+' || *byte == '-')) { isNegative = *byte++ == '-'; }
    if (byte == end) { return false; }
    int64_t value = 0;
    for (; byte < end; byte++) {
        if (!isDigit(*byte)) { return false; }
        if (value < exponentMax) { value = value * 10 + (*byte - '0'); }
    }
    exponent += isNegative ? -value : value;
    return true;
}

/// False when the bytes are no JSON number.
bool take(const uint8_t *byte, const uint8_t *end, Decimal &decimal) {
    if (byte < end && *byte == '-') {
        decimal.isNegative = true;
        byte++;
    }
    const uint8_t *start = byte;
    byte = addDigits(byte, end, decimal.digits);
    if (byte == start || (*start == '0' && byte - start > 1)) { return false; }
    decimal.digitCount = size_t(byte - start);
    if (byte < end && *byte == '.') {
        start = ++byte;
        byte = addDigits(byte, end, decimal.digits);
        if (byte == start) { return false; }
        decimal.digitCount += size_t(byte - start);
        decimal.exponent = start - byte;
    }
    if (byte == end) { return true; }
    return (*byte | 0x20) == 'e' && parseExponent(byte + 1, end, decimal.exponent);
}

/// Whether a literal of many digits or an extreme exponent lies beyond the doubles, not between them and
/// zero.
bool isHuge(const uint8_t *byte, const uint8_t *end, const Decimal &decimal) {
    // Zeros at the front count for nothing.
    int64_t significant = int64_t(decimal.digitCount);
    for (; byte < end && (*byte == '-' || *byte == '.' || *byte == '0'); byte++) {
        significant -= *byte == '0';
    }
    return significant > 0 && decimal.exponent + significant > 0;
}

}

bool parseInt64(const uint8_t *bytes, size_t count, int64_t &value) {
    const uint8_t *end = bytes + count, *byte = bytes;
    bool isNegative = count > 0 && *byte == '-';
    byte += isNegative;
    size_t digitCount = size_t(end - byte);
    // 19 digits do not wrap 64 bits.
    if (digitCount == 0 || digitCount > 19 || (*byte == '0' && digitCount > 1)) { return false; }
    uint64_t magnitude = 0;
    if (addDigits(byte, end, magnitude) != end) { return false; }
    if (magnitude > uint64_t(INT64_MAX) + isNegative) { return false; }
    value = int64_t(isNegative ? 0 - magnitude : magnitude);
    return true;
}

bool parseDouble(const uint8_t *bytes, size_t count, double &value) {
    static constexpr double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const uint8_t *end = bytes + count;
    Decimal decimal;
    if (!take(bytes, end, decimal)) { return false; }
    // Both factors are exact as doubles, so that their product or quotient is rounded once.
    if (decimal.digitCount <= 19 && decimal.digits <= uint64_t(1) << 53 && decimal.exponent >= -22
        && decimal.exponent <= 22) {
        double digits = double(decimal.digits);
        digits = decimal.exponent < 0 ? digits / tens[-decimal.exponent] : digits * tens[decimal.exponent];
        value = decimal.isNegative ? -digits : digits;
        return true;
    }
    double parsed = 0;
    auto text = reinterpret_cast<const char *>(bytes);
    auto result = std::from_chars(text, text + count, parsed);
    if (result.ec == std::errc::result_out_of_range) {
        if (isHuge(bytes, end, decimal)) { return false; }
        value = decimal.isNegative ? -0.0 : 0.0;
        return true;
    }
    if (result.ec != std::errc() || !std::isfinite(parsed)) { return false; }
    value = parsed;
    return true;
}

bool parseBoolean(const uint8_t *bytes, size_t count, uint8_t &value) {
    if (count == 4 && memcmp(bytes, "true", 4) == 0) {
        value = 1;
        return true;
    }
    value = 0;
    return count == 5 && memcmp(bytes, "false", 5) == 0;
}

bool isNull(const uint8_t *bytes, size_t count) { return count == 4 && memcmp(bytes, "null", 4) == 0; }

}
