#include "Walk.hpp"

#include <cstring>

namespace pyra {

namespace {

int hexadecimal(uint8_t byte) {
    if (byte >= '0' && byte <= '9') { return byte - '0'; }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The four digits behind `\u`; -1 when there are none.
int32_t unit(const uint8_t *digits, const uint8_t *end) {
    if (end - digits < 4) { return -1; }
    int32_t value = 0;
    for (int index = 0; index < 4; index++) {
        int digit = hexadecimal(digits[index]);
        if (digit < 0) { return -1; }
        value = value * 16 + digit;
    }
    return value;
}

bool isHigh(int32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool isLow(int32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

/// Length of the escape at `byte` (its backslash); 0 when it is none.
size_t escapeLength(const uint8_t *byte, const uint8_t *end) {
    if (end - byte < 2) { return 0; }
    switch (byte[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return 2;
    case 'u': break;
    default: return 0;
    }
    int32_t first = unit(byte + 2, end);
    if (first < 0 || isLow(first)) { return 0; }
    if (!isHigh(first)) { return 6; }
    if (end - byte < 12 || byte[6] != '\\' || byte[7] != 'u') { return 0; }
    return isLow(unit(byte + 8, end)) ? 12 : 0;
}

void appendScalar(uint32_t scalar, std::vector<uint8_t> &into) {
    if (scalar < 0x80) {
        into.push_back(uint8_t(scalar));
        return;
    }
    if (scalar < 0x800) {
        into.push_back(uint8_t(0xC0 | scalar >> 6));
    } else {
        if (scalar < 0x10000) {
            into.push_back(uint8_t(0xE0 | scalar >> 12));
        } else {
            into.push_back(uint8_t(0xF0 | scalar >> 18));
            into.push_back(uint8_t(0x80 | (scalar >> 12 & 0x3F)));
        }
        into.push_back(uint8_t(0x80 | (scalar >> 6 & 0x3F)));
    }
    into.push_back(uint8_t(0x80 | (scalar & 0x3F)));
}

uint8_t shortEscape(uint8_t letter) {
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter;
    }
}

/// 0–63, or -1.
int sextet(uint8_t byte) {
    if (byte >= 'A' && byte <= 'Z') { return byte - 'A'; }
    if (byte >= 'a' && byte <= 'z') { return byte - 'a' + 26; }
    if (byte >= '0' && byte <= '9') { return byte - '0' + 52; }
    return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

}

bool checkEscapes(const uint8_t *text, uint32_t from, uint32_t to, uint32_t &position) {
    const uint8_t *end = text + to;
    const uint8_t *byte = text + from;
    while (byte < end) {
        byte = static_cast<const uint8_t *>(memchr(byte, '\\', size_t(end - byte)));
        if (!byte) { return true; }
        size_t length = escapeLength(byte, end);
        if (length == 0) {
            position = uint32_t(byte - text);
            return false;
        }
        byte += length;
    }
    return true;
}

pyra_json_slice stringContent(const Tokens &tokens, uint32_t quote, bool &escaped) {
    // The first stage has made sure that there is a closing quote.
    escaped = false;
    uint32_t index = quote + 1;
    while (index < tokens.length && tokens.text[index] != '"') {
        if (tokens.text[index] == '\\') {
            escaped = true;
            index++;
        }
        index++;
    }
    return {quote + 1, index - quote - 1};
}

void decodeString(const uint8_t *bytes, size_t count, std::vector<uint8_t> &into) {
    const uint8_t *byte = bytes, *end = bytes + count;
    while (byte < end) {
        auto escape = static_cast<const uint8_t *>(memchr(byte, '\\', size_t(end - byte)));
        const uint8_t *plainEnd = escape ? escape : end;
        into.insert(into.end(), byte, plainEnd);
        if (!escape) { return; }
        size_t length = escapeLength(escape, end);
        if (length == 0) { return; }
        if (length == 2) {
            into.push_back(shortEscape(escape[1]));
        } else {
            uint32_t scalar = uint32_t(unit(escape + 2, end));
            if (length == 12) { scalar = 0x10000 + ((scalar - 0xD800) << 10) + uint32_t(unit(escape + 8, end) - 0xDC00); }
            appendScalar(scalar, into);
        }
        byte = escape + length;
    }
}

bool decodeBase64(const uint8_t *bytes, size_t count, std::vector<uint8_t> &into) {
    if (count % 4 != 0) { return false; }
    for (size_t index = 0; index < count; index += 4) {
        bool isLast = index + 4 == count;
        int padding = isLast ? (bytes[index + 3] == '=') + (bytes[index + 3] == '=' && bytes[index + 2] == '=') : 0;
        uint32_t group = 0;
        for (int place = 0; place < 4; place++) {
            int value = place >= 4 - padding ? 0 : sextet(bytes[index + size_t(place)]);
            if (value < 0) { return false; }
            group = group << 6 | uint32_t(value);
        }
        // Bits that padding leaves over must be zero: one text for one value.
        if ((padding == 1 && (group & 0xC0) != 0) || (padding == 2 && (group & 0xF000) != 0)) { return false; }
        into.push_back(uint8_t(group >> 16));
        if (padding < 2) { into.push_back(uint8_t(group >> 8)); }
        if (padding < 1) { into.push_back(uint8_t(group)); }
    }
    return true;
}

}
