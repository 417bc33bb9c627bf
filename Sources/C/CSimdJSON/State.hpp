#pragma once
#include "Walk.hpp"

#include <new>
#include <string>
#include <vector>

/// A handle: working memory that is used again by the next text.
struct pyra_json {
    pyra::Indexer indexer;
    /// Merging looks at two texts at once.
    pyra::Indexer patchIndexer;
    std::vector<pyra_json_slice> values;
    std::vector<pyra_json_slice> keys;
    std::vector<int64_t> timestamps;
    std::vector<uint8_t> scratch;
    std::vector<pyra_json_envelope> envelopes;
    std::vector<pyra_json_dump_line> dumpLines;
    std::vector<uint8_t> merged;
};

namespace pyra {

/// Ends the work on a text; caught at the C boundary.
struct Failure {
    pyra_json_code code;
    int64_t position;
    int64_t item;
    std::string field;
    std::string message;
};

inline pyra_json_code codeOf(Fault fault) {
    switch (fault) {
    case Fault::depth: return PYRA_JSON_TOO_DEEP;
    case Fault::capacity: return PYRA_JSON_TOO_LARGE;
    case Fault::memory: return PYRA_JSON_NO_MEMORY;
    default: return PYRA_JSON_INVALID;
    }
}

[[noreturn]] inline void raise(Fault fault, int64_t position, int64_t item = -1) {
    throw Failure{codeOf(fault), position, item, {}, message(fault)};
}

[[noreturn]] inline void raise(
    pyra_json_code code, int64_t position, std::string field, std::string message, int64_t item = -1
) {
    throw Failure{code, position, item, std::move(field), std::move(message)};
}

/// Runs `work`, turning what it throws into a code and the caller's error.
template <class Work> pyra_json_code guarded(pyra_json_error *error, Work work) {
    auto copy = [](char *into, size_t capacity, const std::string &from) {
        size_t count = from.size() < capacity - 1 ? from.size() : capacity - 1;
        from.copy(into, count);
        into[count] = 0;
    };
    try {
        work();
        return PYRA_JSON_OK;
    } catch (const Failure &failure) {
        error->code = failure.code;
        error->position = failure.position;
        error->item = failure.item;
        copy(error->field, sizeof error->field, failure.field);
        copy(error->message, sizeof error->message, failure.message);
    } catch (...) {
        // Only allocations throw anything else.
        error->code = PYRA_JSON_NO_MEMORY;
        error->position = error->item = -1;
        error->field[0] = 0;
        copy(error->message, sizeof error->message, message(Fault::memory));
    }
    return error->code;
}

void forgetRecords(pyra_json &json);

/// Indexes a whole text and checks its escapes.
Tokens indexText(Indexer &indexer, const uint8_t *text, size_t count);

/// Steps over a value, which must be `depthMax` deep at most.
void skip(Walk &walk, unsigned depthMax);

/// Steps over the value of one record; adds the key and time that `fields` asks for to the columns.
/// - Parameter base: what to add to positions so that they count from the caller's text.
void skipRecord(pyra_json &json, Walk &walk, const pyra_json_fields *fields, uint32_t base);

/// A slice of the text, or of the scratch when the string has to be decoded.
pyra_json_slice stringSlice(pyra_json &json, const Tokens &tokens, uint32_t quote, uint32_t base);

/// A key from a string's content: between one and `bytesMax` bytes.
void checkKey(pyra_json_slice key, size_t bytesMax, const std::string &field, int64_t position);

/// An integer of milliseconds, or an RFC 3339 string, between `start` and `end`.
/// - Returns: what is wrong, or nullptr.
const char *timeValue(const Tokens &tokens, uint32_t start, uint32_t end, int64_t &milliseconds);

/// For a fault that the first stage found at `position`: the index of the element of the array that it lies in, for an
/// array whose elements are `arrayDepth` deep.
int64_t elementAt(const uint8_t *text, uint32_t position, unsigned arrayDepth);

bool parseTime(const uint8_t *bytes, size_t count, int64_t &milliseconds);

}
