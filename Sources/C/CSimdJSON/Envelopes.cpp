#include "State.hpp"

#include <cstring>

namespace pyra {

namespace {

/// Reads one envelope, field by field.
class EnvelopeReader {
public:
    EnvelopeReader(pyra_json &json, Walk &walk, size_t keyBytesMax)
        : json(json), walk(walk), tokens(walk.tokens), keyBytesMax(keyBytesMax) {}

    pyra_json_envelope read() {
        if (walk.peek() != '{') { raise(PYRA_JSON_WRONG_TYPE, walk.start(), "records", "must hold objects"); }
        Fault fault = walk.eachMember([&](uint32_t quote) {
            std::string name = memberName(quote);
            position = walk.start();
            field(name);
            return Fault::none;
        });
        if (fault != Fault::none) { raise(fault, walk.position); }
        if (envelope.form == PYRA_JSON_VALUE_MISSING && envelope.key.word == PYRA_JSON_ABSENT) {
            raise(PYRA_JSON_MISSING, position, "value", "is missing, and there is no key whose deletion that would mean");
        }
        return envelope;
    }

private:
    pyra_json &json;
    Walk &walk;
    const Tokens &tokens;
    const size_t keyBytesMax;
    pyra_json_envelope envelope = empty();
    /// Of the value of the field at hand.
    uint32_t position = 0;
    std::string valueField, keyField;
    uint32_t seen = 0;

    static pyra_json_envelope empty() {
        pyra_json_envelope envelope{};
        envelope.value = envelope.key = envelope.content_type = envelope.headers = {PYRA_JSON_ABSENT, 0};
        return envelope;
    }

    std::string memberName(uint32_t quote) {
        bool escaped;
        pyra_json_slice slice = stringContent(tokens, quote, escaped);
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
            raise(PYRA_JSON_UNKNOWN_FIELD, position, name, "is not a field of a record");
        }
        if (seen & 1u << index) { raise(PYRA_JSON_DUPLICATE_FIELD, position, name, "appears twice"); }
        seen |= 1u << index;
        const bool isNull = walk.peek() == 'n';
        skip(walk, PYRA_JSON_DEPTH_MAX);
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

    pyra_json_slice range() { return {position, walk.valueEnd() - position}; }

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
        return stringSlice(json, tokens, position, 0);
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

void readRecords(pyra_json &json, Walk &walk, size_t recordsMax, size_t keyBytesMax) {
    if (walk.peek() != '[') { raise(PYRA_JSON_WRONG_TYPE, walk.start(), "records", "must be an array"); }
    walk.next++;
    if (walk.peek() == ']') {
        walk.next++;
        return;
    }
    for (;;) {
        if (json.envelopes.size() >= recordsMax) {
            raise(
                PYRA_JSON_TOO_MANY, walk.start(), "records",
                "has more than " + std::to_string(recordsMax) + " elements");
        }
        try {
            json.envelopes.push_back(EnvelopeReader(json, walk, keyBytesMax).read());
            uint8_t byte = walk.peek();
            if (byte != ',' && byte != ']') { raise(Fault::structure, walk.start()); }
            walk.next++;
            if (byte == ']') { return; }
        } catch (Failure &failure) {
            if (failure.item < 0) { failure.item = int64_t(json.envelopes.size()); }
            throw;
        }
    }
}

}

}

using namespace pyra;

pyra_json_code pyra_json_envelopes(
    pyra_json *json, const uint8_t *text, size_t count, size_t records_max, size_t key_bytes_max,
    const pyra_json_envelope **envelopes, size_t *envelope_count, pyra_json_error *error
) {
    forgetRecords(*json);
    pyra_json_code code = guarded(error, [&] {
        Tokens tokens{};
        try {
            tokens = indexText(json->indexer, text, count);
        } catch (Failure &failure) {
            if (failure.position >= 0) { failure.item = elementAt(text, uint32_t(failure.position), 2); }
            throw;
        }
        Walk walk(tokens);
        if (walk.peek() != '{') {
            raise(PYRA_JSON_WRONG_TYPE, walk.start(), {}, "The body must be an object with the field records.");
        }
        bool seen = false;
        Fault fault = walk.eachMember([&](uint32_t quote) {
            bool escaped;
            pyra_json_slice slice = stringContent(tokens, quote, escaped);
            std::string name(reinterpret_cast<const char *>(text) + slice.word, slice.count);
            if (name != "records") { raise(PYRA_JSON_UNKNOWN_FIELD, quote, name, "is not a field of this body"); }
            if (seen) { raise(PYRA_JSON_DUPLICATE_FIELD, quote, name, "appears twice"); }
            seen = true;
            readRecords(*json, walk, records_max, key_bytes_max);
            return Fault::none;
        });
        if (fault != Fault::none) { raise(fault, walk.position); }
        if (!walk.atEnd()) { raise(PYRA_JSON_INVALID, walk.start(), {}, "The body goes on after its JSON text."); }
        if (!seen) { raise(PYRA_JSON_MISSING, 0, "records", "is missing"); }
    });
    *envelopes = json->envelopes.data();
    *envelope_count = json->envelopes.size();
    return code;
}
