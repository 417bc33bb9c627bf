#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace pyra {

/// What can be wrong with a JSON text; each has simdjson's own message.
enum class Fault {
    none,
    structure,
    depth,
    string,
    atom,
    number,
    utf8,
    empty,
    controlCharacter,
    unclosedString,
    capacity,
    memory,
    unexpected,
};

const char *message(Fault fault);
bool isUTF8(const uint8_t *bytes, size_t count);

/// The positions of a text's structural characters, and of the first byte of each string and scalar.
struct Tokens {
    const uint8_t *text;
    uint32_t length;
    const uint32_t *at;
    uint32_t count;
    /// Whether there is a backslash anywhere: without one no string needs decoding.
    bool hasEscapes;
};

/// simdjson's first stage: structure, UTF-8, control characters in strings. Reads no byte behind the text.
class Indexer {
public:
    Indexer();
    ~Indexer();
    /// The tokens are valid until the next call.
    Fault index(const uint8_t *text, size_t length, Tokens &tokens);
    /// Gives memory beyond a small text's back.
    void shrink();

private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation;
};

}
