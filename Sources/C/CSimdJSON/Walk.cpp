#include "Walk.hpp"

#include <cstring>

namespace pyra {

namespace {

inline bool isDigit(uint8_t byte) { return uint8_t(byte - '0') < 10; }

/// What may follow a scalar.
inline bool isTerminator(uint8_t byte) {
    return isSpace(byte) || byte == ',' || byte == ']' || byte == '}' || byte == ':' || byte == '[' || byte == '{';
}

bool checkNumber(const uint8_t *byte, const uint8_t *end) {
    if (*byte == '-') { byte++; }
    if (byte == end || !isDigit(*byte)) { return false; }
    if (*byte == '0') {
        byte++;
    } else {
        while (byte < end && isDigit(*byte)) { byte++; }
    }
    if (byte < end && *byte == '.') {
        byte++;
        if (byte == end || !isDigit(*byte)) { return false; }
        while (byte < end && isDigit(*byte)) { byte++; }
    }
    if (byte < end && (*byte == 'e' || *byte == 'E')) {
        byte++;
        if (byte < end && (*byte == '+' || *byte == '-')) { byte++; }
        if (byte == end || !isDigit(*byte)) { return false; }
        while (byte < end && isDigit(*byte)) { byte++; }
    }
    return byte == end || isTerminator(*byte);
}

bool checkAtom(const uint8_t *byte, const uint8_t *end, const char *word, size_t length) {
    if (size_t(end - byte) < length || memcmp(byte, word, length) != 0) { return false; }
    return byte + length == end || isTerminator(byte[length]);
}

Fault checkScalar(const uint8_t *byte, const uint8_t *end) {
    switch (*byte) {
    case '"': return Fault::none;
    case 't': return checkAtom(byte, end, "true", 4) ? Fault::none : Fault::atom;
    case 'f': return checkAtom(byte, end, "false", 5) ? Fault::none : Fault::atom;
    case 'n': return checkAtom(byte, end, "null", 4) ? Fault::none : Fault::atom;
    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        return checkNumber(byte, end) ? Fault::none : Fault::number;
    case ',': case ':': case ']': case '}': return Fault::structure;
    default: return Fault::atom;
    }
}

}

Fault Walk::skipValue(unsigned depthMax) {
    const uint8_t *text = tokens.text, *end = text + tokens.length;
    const uint32_t *at = tokens.at;
    const uint32_t count = tokens.count;
    bool isObject[PYRA_JSON_DEPTH_MAX + 1];
    unsigned depth = 0;
    uint32_t token = next;

    // The end of the tokens reads as byte 0, which no state accepts.
    auto byteAt = [&](uint32_t token) { return token < count ? text[at[token]] : uint8_t(0); };
    auto fail = [&](Fault fault) {
        next = token;
        return this->fail(fault);
    };

    for (;;) {
        if (depth > 0 && isObject[depth]) {
            if (byteAt(token) != '"' || byteAt(token + 1) != ':') { return fail(Fault::structure); }
            token += 2;
        }
        uint8_t byte = byteAt(token);
        if (byte == '{' || byte == '[') {
            if (depth >= depthMax || depth >= PYRA_JSON_DEPTH_MAX) { return fail(Fault::depth); }
            depth++;
            isObject[depth] = byte == '{';
            token++;
            if (byteAt(token) != (byte == '{' ? '}' : ']')) { continue; }
            depth--;
        } else {
            if (token >= count) { return fail(Fault::structure); }
            Fault fault = checkScalar(text + at[token], end);
            if (fault != Fault::none) { return fail(fault); }
        }
        token++;
        for (;;) {
            if (depth == 0) {
                next = token;
                return Fault::none;
            }
            byte = byteAt(token);
            if (byte == ',') {
                token++;
                break;
            }
            if (byte != (isObject[depth] ? '}' : ']')) { return fail(Fault::structure); }
            token++;
            depth--;
        }
    }
}

bool isIntegerLiteral(const uint8_t *bytes, size_t count) {
    size_t index = count > 0 && bytes[0] == '-' ? 1 : 0;
    if (index == count) { return false; }
    for (; index < count; index++) {
        if (!isDigit(bytes[index])) { return false; }
    }
    return true;
}

bool parseInteger(const uint8_t *bytes, size_t count, int64_t &value) {
    if (!isIntegerLiteral(bytes, count)) { return false; }
    bool negative = bytes[0] == '-';
    int64_t result = 0;
    for (size_t index = negative ? 1 : 0; index < count; index++) {
        int64_t digit = bytes[index] - '0';
        if (__builtin_mul_overflow(result, int64_t(10), &result)) { return false; }
        if (negative ? __builtin_sub_overflow(result, digit, &result) : __builtin_add_overflow(result, digit, &result)) {
            return false;
        }
    }
    value = result;
    return true;
}

uint32_t locate(Fault fault, const uint8_t *text, uint32_t length) {
    if (fault == Fault::utf8) {
        // The longest valid prefix; cuts inside a character are moved back to its first byte.
        uint32_t low = 0, high = length;
        while (low < high) {
            uint32_t middle = low + (high - low + 1) / 2, cut = middle;
            while (cut > low && cut < length && (text[cut] & 0xC0) == 0x80) { cut--; }
            if (cut == low || isUTF8(text + low, cut - low)) {
                if (cut == low) { return low; }
                low = cut;
            } else {
                high = cut - 1;
            }
        }
        return low;
    }
    bool inString = false;
    uint32_t quote = length;
    for (uint32_t index = 0; index < length; index++) {
        uint8_t byte = text[index];
        if (byte == '\\') {
            index++;
        } else if (byte == '"') {
            inString = !inString;
            quote = index;
        } else if (inString && byte < 0x20 && fault == Fault::controlCharacter) {
            return index;
        }
    }
    return inString ? quote : length;
}

}
