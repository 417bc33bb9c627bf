#include "State.hpp"

#include <cstring>

namespace pyra {

namespace {

/// Compares a member's name with a field's, escapes in the name included.
bool isNamed(const Tokens &tokens, uint32_t quote, const uint8_t *name, size_t count) {
    const uint8_t *content = tokens.text + quote + 1;
    size_t available = tokens.length - quote - 1;
    // Cheapest first: most names differ in where they end or in their first byte.
    if (available > count && content[count] == '"' && (count == 0 || content[0] == name[0])
        && memcmp(content, name, count) == 0) {
        // A backslash at the end of `name` would have escaped that quote.
        return memchr(name, '\\', count) == nullptr;
    }
    if (!tokens.hasEscapes) { return false; }
    bool escaped;
    pyra_json_slice slice = stringContent(tokens, quote, escaped);
    if (!escaped) { return false; }
    std::vector<uint8_t> decoded;
    decodeString(content, slice.count, decoded);
    return decoded.size() == count && memcmp(decoded.data(), name, count) == 0;
}

std::string keyName(const pyra_json_fields &fields) {
    return std::string(reinterpret_cast<const char *>(fields.key_name), fields.key_name_count);
}

std::string timestampName(const pyra_json_fields &fields) {
    return std::string(reinterpret_cast<const char *>(fields.timestamp_name), fields.timestamp_name_count);
}

pyra_json_slice keyValue(
    pyra_json &json, const Tokens &tokens, uint32_t start, uint32_t end, const pyra_json_fields &fields, uint32_t base
) {
    pyra_json_slice key;
    if (tokens.text[start] == '"') {
        key = stringSlice(json, tokens, start, base);
    } else {
        key = {start, end - start};
        if (!isIntegerLiteral(tokens.text + start, key.count)) {
            raise(PYRA_JSON_WRONG_TYPE, start, keyName(fields), "must be a string or an integer to be a key");
        }
        key.word += base;
    }
    if (key.count < 1 || key.count > fields.key_bytes_max) {
        checkKey(key, fields.key_bytes_max, keyName(fields), start);
    }
    return key;
}

}

Tokens indexText(Indexer &indexer, const uint8_t *text, size_t count) {
    Tokens tokens{};
    Fault fault = indexer.index(text, count, tokens);
    if (fault != Fault::none) {
        bool locatable = fault == Fault::utf8 || fault == Fault::controlCharacter || fault == Fault::unclosedString;
        raise(fault, locatable ? int64_t(locate(fault, text, uint32_t(count))) : -1);
    }
    uint32_t position = 0;
    if (!checkEscapes(text, 0, uint32_t(count), position)) { raise(Fault::string, position); }
    return tokens;
}

void skip(Walk &walk, unsigned depthMax) {
    Fault fault = walk.skipValue(depthMax);
    if (fault != Fault::none) { raise(fault, walk.position); }
}

pyra_json_slice stringSlice(pyra_json &json, const Tokens &tokens, uint32_t quote, uint32_t base) {
    bool escaped;
    pyra_json_slice slice = stringContent(tokens, quote, escaped);
    if (!escaped) { return {slice.word + base, slice.count}; }
    size_t start = json.scratch.size();
    decodeString(tokens.text + slice.word, slice.count, json.scratch);
    return {uint32_t(start) | PYRA_JSON_SCRATCH_BIT, uint32_t(json.scratch.size() - start)};
}

void checkKey(pyra_json_slice key, size_t bytesMax, const std::string &field, int64_t position) {
    if (key.count >= 1 && key.count <= bytesMax) { return; }
    raise(PYRA_JSON_OUT_OF_RANGE, position, field, "must be 1 to " + std::to_string(bytesMax) + " bytes to be a key");
}

const char *timeValue(const Tokens &tokens, uint32_t start, uint32_t end, int64_t &milliseconds) {
    const uint8_t *bytes = tokens.text + start;
    const uint32_t count = end - start;
    if (!(bytes[0] == '"' ? parseTime(bytes + 1, count - 2, milliseconds) : parseInteger(bytes, count, milliseconds))) {
        return "must be an integer of Unix milliseconds or an RFC 3339 time";
    }
    // What RFC 3339 can write: the years 0000 to 9999.
    if (milliseconds < -62167219200000 || milliseconds > 253402300799999) { return "must lie in the years 0 to 9999"; }
    return nullptr;
}

void skipRecord(pyra_json &json, Walk &walk, const pyra_json_fields *fields, uint32_t base) {
    if (!fields) {
        skip(walk, PYRA_JSON_DEPTH_MAX);
        return;
    }
    const uint32_t recordStart = walk.start();
    const uint32_t none = UINT32_MAX;
    uint32_t keyStart = none, timeStart = none, keyEnd = 0, timeEnd = 0;
    if (walk.peek() == '{') {
        Fault fault = walk.eachMember([&](uint32_t name) {
            uint32_t start = walk.start();
            Fault fault = walk.skipValue(PYRA_JSON_DEPTH_MAX - 1);
            if (fault != Fault::none) { return fault; }
            if (fields->key_name && isNamed(walk.tokens, name, fields->key_name, fields->key_name_count)) {
                if (keyStart != none) { raise(PYRA_JSON_DUPLICATE_FIELD, name, keyName(*fields), "appears twice"); }
                keyStart = start;
                keyEnd = walk.valueEnd();
            }
            if (fields->timestamp_name
                && isNamed(walk.tokens, name, fields->timestamp_name, fields->timestamp_name_count)) {
                if (timeStart != none) { raise(PYRA_JSON_DUPLICATE_FIELD, name, timestampName(*fields), "appears twice"); }
                timeStart = start;
                timeEnd = walk.valueEnd();
            }
            return Fault::none;
        });
        if (fault != Fault::none) { raise(fault, walk.position); }
    } else {
        skip(walk, PYRA_JSON_DEPTH_MAX);
    }
    if (fields->key_name) {
        if (keyStart == none) { raise(PYRA_JSON_MISSING, recordStart, keyName(*fields), "is missing"); }
        json.keys.push_back(keyValue(json, walk.tokens, keyStart, keyEnd, *fields, base));
    }
    if (fields->timestamp_name) {
        if (timeStart == none) { raise(PYRA_JSON_MISSING, recordStart, timestampName(*fields), "is missing"); }
        int64_t time = 0;
        if (const char *complaint = timeValue(walk.tokens, timeStart, timeEnd, time)) {
            raise(PYRA_JSON_WRONG_TYPE, timeStart, timestampName(*fields), complaint);
        }
        json.timestamps.push_back(time);
    }
}

}
