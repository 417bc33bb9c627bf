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

void pyra_json_reset(pyra_json *json) {
    forget(json->values);
    forget(json->keys);
    forget(json->timestamps);
    forget(json->scratch);
    forget(json->envelopes);
    forget(json->merged);
    json->indexer.shrink();
    json->patchIndexer.shrink();
}

pyra_json_records pyra_json_found(const pyra_json *json) {
    return {
        json->values.data(),
        json->keys.empty() ? nullptr : json->keys.data(),
        json->timestamps.empty() ? nullptr : json->timestamps.data(),
        json->values.size(),
        json->scratch.data(),
        json->scratch.size(),
    };
}

bool pyra_json_is_utf8(const uint8_t *bytes, size_t count) { return isUTF8(bytes, count); }

bool pyra_json_time(const uint8_t *bytes, size_t count, int64_t *milliseconds) {
    return parseTime(bytes, count, *milliseconds);
}
