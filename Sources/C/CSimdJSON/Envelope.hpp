#pragma once
#include "State.hpp"

#include <cstring>
#include <iterator>

namespace pyra {

/// Reads one envelope, field by field.
class EnvelopeReader {
public:
    /// - Parameter base: what to add to positions in slices so that they count from the caller's text.
    EnvelopeReader(pyra_json &json, Walk &walk, size_t keyBytesMax, uint32_t base = 0)
        : json(json), walk(walk), tokens(walk.tokens), keyBytesMax(keyBytesMax), base(base) {}
    virtual ~EnvelopeReader() = default;

    pyra_json_envelope read() {
        if (walk.peek() != '{') { raise(PYRA_JSON_WRONG_TYPE, walk.start(), "records", "must hold objects"); }
        readFields();
        if (envelope.form == PYRA_JSON_VALUE_MISSING && envelope.key.word == PYRA_JSON_ABSENT) {
            raise(PYRA_JSON_MISSING, position, "value", "is missing, and there is no key whose deletion that would mean");
        }
        return envelope;
    }

protected:
    pyra_json &json;
    Walk &walk;
    const Tokens &tokens;
    const size_t keyBytesMax;
    const uint32_t base;
    pyra_json_envelope envelope = empty();
    /// Of the value of the field at hand.
    uint32_t position = 0;
    std::string valueField, keyField;
    uint32_t seen = 0;

    void readFields() {
        Fault fault = walk.eachMember([&](uint32_t quote) {
            std::string name = memberName(quote);
            position = walk.start();
            field(name);
            return Fault::none;
        });
        if (fault != Fault::none) { raise(fault, walk.position); }
    }

    /// A field that is not one of an envelope; `walk` is behind it. - Returns: whether it may be there.
    virtual bool otherField(const std::string &) { return false; }

    /// Of a value that was stepped over.
    bool isNull() const { return tokens.text[position] == 'n'; }

    static pyra_json_envelope empty() {
        pyra_json_envelope envelope{};
        envelope.value = envelope.key = envelope.content_type = envelope.headers = {PYRA_JSON_ABSENT, 0};
        return envelope;
    }

    std::string memberName(uint32_t quote) {
        bool escaped;
        pyra_json_slice slice = stringContent(tokens, quote, escaped);
        if (!escaped) { return std::string(reinterpret_cast<const char *>(tokens.text) + slice.word, slice.count); }
        std::vector<uint8_t> decoded;
        decodeString(tokens.text + slice.word, slice.count, decoded);
        return std::string(decoded.begin(), decoded.end());
    }

    void field(const std::string &name) {
        static const char *const names[] = {
            "key", "key_base64", "value", "value_text", "value_base64",
            "content_type", "headers", "timestamp", "ttl_ms", "priority", "partition",
        };
        uint32_t index = 0;
        while (index < std::size(names) && name != names[index]) { index++; }
        if (index == std::size(names)) {
            skip(walk, PYRA_JSON_DEPTH_MAX);
            if (otherField(name)) { return; }
            raise(PYRA_JSON_UNKNOWN_FIELD, position, name, "is not a field of a record");
        }
        if (seen & 1u << index) { raise(PYRA_JSON_DUPLICATE_FIELD, position, name, "appears twice"); }
        seen |= 1u << index;
        skip(walk, PYRA_JSON_DEPTH_MAX);
        const bool isNull = this->isNull();
        switch (index) {
        case 0: if (!isNull) { key(name, stringField(name)); } break;
        case 1: if (!isNull) { key(name, base64Field(name)); } break;
        case 2: value(name, isNull ? PYRA_JSON_VALUE_NULL : PYRA_JSON_VALUE_JSON, range()); break;
        case 3: if (!isNull) { value(name, PYRA_JSON_VALUE_TEXT, stringField(name)); } break;
        case 4: if (!isNull) { value(name, PYRA_JSON_VALUE_BYTES, base64Field(name)); } break;
        case 5: if (!isNull) { envelope.content_type = stringField(name); } break;
        case 6: if (!isNull) { headers(name); } break;
        case 7: if (!isNull) { timestamp(name); } break;
        case 8: if (!isNull) { envelope.ttl_ms = integer(name, 1, INT64_MAX); has(PYRA_JSON_HAS_TTL); } break;
        case 9: if (!isNull) { envelope.priority = uint8_t(integer(name, 0, 255)); has(PYRA_JSON_HAS_PRIORITY); } break;
        case 10: if (!isNull) { envelope.partition = int32_t(integer(name, 0, 255)); has(PYRA_JSON_HAS_PARTITION); } break;
        }
    }

    void has(unsigned bit) { envelope.has = uint8_t(envelope.has | bit); }

    pyra_json_slice range() { return {position + base, walk.valueEnd() - position}; }

    void key(const std::string &name, pyra_json_slice slice) {
        if (!keyField.empty()) { raise(PYRA_JSON_CONFLICT, position, name, "stands beside " + keyField); }
        keyField = name;
        checkKey(slice, keyBytesMax, name, position);
        envelope.key = slice;
    }

    void value(const std::string &name, pyra_json_value_form form, pyra_json_slice slice) {
        if (!valueField.empty()) { raise(PYRA_JSON_CONFLICT, position, name, "stands beside " + valueField); }
        valueField = name;
        envelope.form = uint8_t(form);
        envelope.value = slice;
    }

    void headers(const std::string &name) {
        if (tokens.text[position] != '{') { raise(PYRA_JSON_WRONG_TYPE, position, name, "must be an object of strings"); }
        envelope.headers = range();
    }

    void timestamp(const std::string &name) {
        if (const char *complaint = timeValue(tokens, position, walk.valueEnd(), envelope.timestamp)) {
            raise(PYRA_JSON_WRONG_TYPE, position, name, complaint);
        }
        has(PYRA_JSON_HAS_TIMESTAMP);
    }

    pyra_json_slice stringField(const std::string &name) {
        if (tokens.text[position] != '"') { raise(PYRA_JSON_WRONG_TYPE, position, name, "must be a string"); }
        return stringSlice(json, tokens, position, base);
    }

    pyra_json_slice base64Field(const std::string &name) {
        if (tokens.text[position] != '"') { raise(PYRA_JSON_WRONG_TYPE, position, name, "must be a base64 string"); }
        bool escaped;
        pyra_json_slice slice = stringContent(tokens, position, escaped);
        const uint8_t *bytes = tokens.text + slice.word;
        // The slash of the alphabet may be written as an escape.
        std::vector<uint8_t> plain;
        if (escaped) { decodeString(bytes, slice.count, plain); }
        size_t start = json.scratch.size();
        bool decoded = escaped ? decodeBase64(plain.data(), plain.size(), json.scratch)
                               : decodeBase64(bytes, slice.count, json.scratch);
        if (!decoded) { raise(PYRA_JSON_WRONG_TYPE, position, name, "must be base64 (standard alphabet, padded)"); }
        return {uint32_t(start) | PYRA_JSON_SCRATCH_BIT, uint32_t(json.scratch.size() - start)};
    }

    int64_t integer(const std::string &name, int64_t low, int64_t high) {
        const uint8_t *bytes = tokens.text + position;
        uint32_t count = walk.valueEnd() - position;
        int64_t value = 0;
        if (!isIntegerLiteral(bytes, count)) { raise(PYRA_JSON_WRONG_TYPE, position, name, "must be an integer"); }
        if (!parseInteger(bytes, count, value) || value < low || value > high) {
            raise(
                PYRA_JSON_OUT_OF_RANGE, position, name,
                "must be from " + std::to_string(low) + " to " + std::to_string(high));
        }
        return value;
    }
};

}
