#include "Indexer.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace pyra {

namespace {

constexpr size_t smallCapacity = 256 * 1024;
// Four bytes of index are needed for each byte of text: more than this is not kept between requests.
constexpr size_t keptCapacity = 2 * 1024 * 1024;
// A slice's start has 31 bits.
constexpr size_t lengthMax = 0x7FFFFFFF;

Fault fault(simdjson::error_code code) {
    switch (code) {
    case simdjson::SUCCESS: return Fault::none;
    case simdjson::CAPACITY: return Fault::capacity;
    case simdjson::MEMALLOC: return Fault::memory;
    case simdjson::UTF8_ERROR: return Fault::utf8;
    case simdjson::EMPTY: return Fault::empty;
    case simdjson::UNESCAPED_CHARS: return Fault::controlCharacter;
    case simdjson::UNCLOSED_STRING: return Fault::unclosedString;
    default: return Fault::unexpected;
    }
}

simdjson::error_code code(Fault fault) {
    switch (fault) {
    case Fault::none: return simdjson::SUCCESS;
    case Fault::structure: return simdjson::TAPE_ERROR;
    case Fault::depth: return simdjson::DEPTH_ERROR;
    case Fault::string: return simdjson::STRING_ERROR;
    case Fault::atom: return simdjson::T_ATOM_ERROR;
    case Fault::number: return simdjson::NUMBER_ERROR;
    case Fault::utf8: return simdjson::UTF8_ERROR;
    case Fault::empty: return simdjson::EMPTY;
    case Fault::controlCharacter: return simdjson::UNESCAPED_CHARS;
    case Fault::unclosedString: return simdjson::UNCLOSED_STRING;
    case Fault::capacity: return simdjson::CAPACITY;
    case Fault::memory: return simdjson::MEMALLOC;
    case Fault::unexpected: return simdjson::UNEXPECTED_ERROR;
    }
    return simdjson::UNEXPECTED_ERROR;
}

}

const char *message(Fault fault) {
    switch (fault) {
    case Fault::depth: return "The JSON document is nested deeper than 64 levels.";
    case Fault::atom: return "The JSON document has something that is neither true, false, null, a number nor a string.";
    default: return simdjson::error_message(code(fault));
    }
}

bool isUTF8(const uint8_t *bytes, size_t count) {
    return count == 0 || simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), count);
}

struct Indexer::Implementation {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

Indexer::Indexer() : implementation(std::make_unique<Implementation>()) {}
Indexer::~Indexer() = default;

Fault Indexer::index(const uint8_t *text, size_t length, Tokens &tokens) {
    if (length > lengthMax) { return Fault::capacity; }
    auto &parser = implementation->parser;
    if (!parser || parser->capacity() < length) {
        parser.reset();
        // Only the first stage runs, which does not look at the depth.
        auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
            std::max(length, smallCapacity), 1, parser);
        if (error) {
            parser.reset();
            return fault(error);
        }
    }
    auto error = parser->stage1(text, length, simdjson::stage1_mode::regular);
    if (error) { return fault(error); }
    tokens = {text, uint32_t(length), parser->structural_indexes.get(), parser->n_structural_indexes,
              memchr(text, '\\', length) != nullptr};
    return Fault::none;
}

void Indexer::shrink() {
    if (implementation->parser && implementation->parser->capacity() > keptCapacity) {
        implementation->parser.reset();
    }
}

}
