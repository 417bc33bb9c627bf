#include "Envelope.hpp"

namespace pyra {

namespace {

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
