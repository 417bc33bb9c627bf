#include "State.hpp"

using namespace pyra;

namespace {

// Larger columns are given back between requests.
constexpr size_t keptBytes = 1024 * 1024;

template <class Element> void forget(std::vector<Element> &column) {
    if (column.capacity() * sizeof(Element) > keptBytes) {
        column = std::vector<Element>();
    } else {
        column.clear();
    }
}

}

pyra_json *pyra_json_create(void) {
    try {
        return new pyra_json();
    } catch (...) {
        return nullptr;
    }
}

void pyra_json_destroy(pyra_json *json) { delete json; }

namespace pyra {

void forgetRecords(pyra_json &json) {
    forget(json.values);
    forget(json.keys);
    forget(json.timestamps);
    forget(json.scratch);
    forget(json.envelopes);
    forget(json.dumpLines);
}

}

void pyra_json_reset(pyra_json *json) {
    forgetRecords(*json);
    forget(json->merged);
    json->indexer.shrink();
    json->patchIndexer.shrink();
}

pyra_json_records pyra_json_found(const pyra_json *json) {
    const size_t count = json->values.size();
    return {
        json->values.data(),
        // Shorter columns come from lines that were read without fields.
        json->keys.empty() || json->keys.size() < count ? nullptr : json->keys.data(),
        json->timestamps.empty() || json->timestamps.size() < count ? nullptr : json->timestamps.data(),
        count,
        json->scratch.data(),
        json->scratch.size(),
    };
}

bool pyra_json_is_utf8(const uint8_t *bytes, size_t count) { return isUTF8(bytes, count); }

bool pyra_json_time(const uint8_t *bytes, size_t count, int64_t *milliseconds) {
    return parseTime(bytes, count, *milliseconds);
}
