#pragma once
#include "CSimdJSON.h"
#include "Indexer.hpp"

#include <vector>

namespace pyra {

inline bool isSpace(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

/// Checks one value of a text, token by token, by RFC 8259, numbers of any size included.
///
/// Strings are not looked into: `checkEscapes` does that for a whole text at once.
struct Walk {
    const Tokens &tokens;
    /// The token that comes next.
    uint32_t next = 0;
    /// Position of the byte at fault.
    uint32_t position = 0;

    explicit Walk(const Tokens &tokens) : tokens(tokens) {}

    bool atEnd() const { return next >= tokens.count; }
    /// 0 at the end, which is no token's first byte.
    uint8_t peek() const { return atEnd() ? 0 : tokens.text[tokens.at[next]]; }
    uint32_t start() const { return atEnd() ? tokens.length : tokens.at[next]; }

    /// Steps over the value that begins at `next`.
    Fault skipValue(unsigned depthMax);

    /// Walks an object whose brace is `next`: `member(name)` is called with the position of the name's quote, `next`
    /// at its value, and must step over the value.
    template <class Member> Fault eachMember(Member member) {
        next++;
        if (peek() == '}') {
            next++;
            return Fault::none;
        }
        for (;;) {
            if (peek() != '"') { return fail(Fault::structure); }
            uint32_t name = start();
            next++;
            if (peek() != ':') { return fail(Fault::structure); }
            next++;
            if (Fault fault = member(name); fault != Fault::none) { return fault; }
            uint8_t byte = peek();
            if (byte != ',' && byte != '}') { return fail(Fault::structure); }
            next++;
            if (byte == '}') { return Fault::none; }
        }
    }

    /// The end of the value whose last token is the one before `next`.
    uint32_t valueEnd() const {
        uint32_t end = start();
        while (end > 0 && isSpace(tokens.text[end - 1])) { end--; }
        return end;
    }

    Fault fail(Fault fault) {
        position = start();
        return fault;
    }
};

/// Escapes of all strings between `from` and `to`: known letters, four hexadecimal digits, surrogates in pairs.
bool checkEscapes(const uint8_t *text, uint32_t from, uint32_t to, uint32_t &position);

/// The bytes between the quotes of the string at `quote`; `escaped` says whether it must be decoded.
pyra_json_slice stringContent(const Tokens &tokens, uint32_t quote, bool &escaped);

/// Appends the decoded string; its escapes were checked.
void decodeString(const uint8_t *bytes, size_t count, std::vector<uint8_t> &into);

/// Appends decoded base64 (standard alphabet, padded, no spaces); false when it is something else.
bool decodeBase64(const uint8_t *bytes, size_t count, std::vector<uint8_t> &into);

/// An integer literal without fraction and exponent.
bool isIntegerLiteral(const uint8_t *bytes, size_t count);
bool parseInteger(const uint8_t *bytes, size_t count, int64_t &value);

/// Where the first stage's fault lies; the length of the text when it cannot be told.
uint32_t locate(Fault fault, const uint8_t *text, uint32_t length);

}
