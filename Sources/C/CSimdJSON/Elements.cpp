#include "State.hpp"

namespace pyra {

int64_t elementAt(const uint8_t *text, uint32_t position, unsigned arrayDepth) {
    int64_t index = 0;
    unsigned depth = 0;
    bool inString = false;
    for (uint32_t place = 0; place < position; place++) {
        uint8_t byte = text[place];
        if (inString) {
            if (byte == '\\') { place++; } else if (byte == '"') { inString = false; }
            continue;
        }
        if (byte == '"') { inString = true; }
        if (byte == '[' || byte == '{') { depth++; }
        if ((byte == ']' || byte == '}') && depth > 0) { depth--; }
        if (byte == ',' && depth == arrayDepth) { index++; }
    }
    return index;
}

namespace {

void readElements(pyra_json &json, const Tokens &tokens, const pyra_json_fields *fields, size_t recordsMax) {
    Walk walk(tokens);
    if (walk.peek() != '[') { raise(PYRA_JSON_WRONG_TYPE, walk.start(), {}, "The JSON text is not an array."); }
    walk.next++;
    int64_t index = 0;
    if (walk.peek() == ']') {
        walk.next++;
    } else {
        for (;; index++) {
            if (json.values.size() >= recordsMax) {
                raise(
                    PYRA_JSON_TOO_MANY, walk.start(), {},
                    "The array has more than " + std::to_string(recordsMax) + " elements.");
            }
            try {
                uint32_t start = walk.start();
                skipRecord(json, walk, fields, 0);
                json.values.push_back({start, walk.valueEnd() - start});
                uint8_t byte = walk.peek();
                if (byte != ',' && byte != ']') { raise(Fault::structure, walk.start()); }
                walk.next++;
                if (byte == ']') { break; }
            } catch (Failure &failure) {
                failure.item = index;
                throw;
            }
        }
    }
    if (!walk.atEnd()) {
        raise(PYRA_JSON_INVALID, walk.start(), {}, "The body goes on after its JSON array.");
    }
}

}

}

using namespace pyra;

pyra_json_code pyra_json_elements(
    pyra_json *json, const uint8_t *text, size_t count, const pyra_json_fields *fields, size_t records_max,
    pyra_json_error *error
) {
    forgetRecords(*json);
    return guarded(error, [&] {
        Tokens tokens{};
        try {
            tokens = indexText(json->indexer, text, count);
        } catch (Failure &failure) {
            if (failure.position >= 0) { failure.item = elementAt(text, uint32_t(failure.position), 1); }
            throw;
        }
        readElements(*json, tokens, fields, records_max);
    });
}

pyra_json_code pyra_json_value(
    pyra_json *json, const uint8_t *text, size_t count, const pyra_json_fields *fields,
    pyra_json_kind *kind, pyra_json_error *error
) {
    forgetRecords(*json);
    return guarded(error, [&] {
        Tokens tokens = indexText(json->indexer, text, count);
        Walk walk(tokens);
        uint32_t start = walk.start();
        skipRecord(*json, walk, fields, 0);
        if (!walk.atEnd()) {
            raise(PYRA_JSON_INVALID, walk.start(), {}, "The body goes on after its JSON text.");
        }
        json->values.push_back({start, walk.valueEnd() - start});
        switch (text[start]) {
        case '{': *kind = PYRA_JSON_OBJECT; break;
        case '[': *kind = PYRA_JSON_ARRAY; break;
        case '"': *kind = PYRA_JSON_STRING; break;
        case 't':
        case 'f': *kind = PYRA_JSON_BOOL; break;
        case 'n': *kind = PYRA_JSON_NULL; break;
        default: *kind = PYRA_JSON_NUMBER;
        }
    });
}
