#include "Literals.hpp"
#include "Rows.hpp"

using namespace pyra;

namespace {

/// Keeps which kinds of value each field has had.
struct KindSink {
    const pyra_field_rows &rows;
    std::vector<uint8_t> &kinds;

    void begin(size_t, size_t) {}
    void finish(bool) {}
    // Names and kinds that a broken row has brought stay: they promise nothing.
    void forget(size_t) {}

    void member(size_t, int32_t field, uint32_t start, uint32_t end) {
        if (field == noField) { return; }
        if (size_t(field) >= kinds.size()) { kinds.resize(size_t(field) + 1); }
        kinds[size_t(field)] |= kind(start, end, kinds[size_t(field)]);
    }

    /// - Parameter known: the kinds so far, to which a number may have nothing to add.
    uint8_t kind(uint32_t start, uint32_t end, uint8_t known) {
        switch (rows.values[start]) {
        case '"': return PYRA_FIELD_STRING;
        case '{': case '[': return PYRA_FIELD_NESTED;
        case 't': case 'f': return PYRA_FIELD_BOOLEAN;
        case 'n': return PYRA_FIELD_NULL;
        case '-':
        case '0': case '1': case '2': case '3': case '4':
        case '5': case '6': case '7': case '8': case '9': break;
        default: return 0;
        }
        constexpr uint8_t both = PYRA_FIELD_INTEGER | PYRA_FIELD_NUMBER;
        if ((known & both) == both) { return 0; }
        while (rows.values[end - 1] <= ' ') { end--; }
        int64_t value;
        return parseInt64(rows.values + start, end - start, value) ? PYRA_FIELD_INTEGER : PYRA_FIELD_NUMBER;
    }
};

size_t countNotJSON(const pyra_field_rows &rows) {
    size_t count = 0;
    for (size_t row = rows.from; row < rows.to; row++) {
        count += (rows.types && rows.types[row] != 0) || !hasBytes(rows, row);
    }
    return count;
}

}

struct pyra_field_summarizer {
    RowReader reader;
    std::vector<uint8_t> kinds;
    std::vector<pyra_field> fields;

    explicit pyra_field_summarizer(size_t fieldsMax) : reader(fieldsMax) {}

    pyra_field_summary summary(const pyra_field_rows &rows) {
        fields.clear();
        for (size_t index = 0; index < reader.names.fields.size(); index++) {
            auto &name = reader.names.fields[index];
            fields.push_back({name.bytes, name.count, index < kinds.size() ? kinds[index] : uint8_t(0)});
        }
        const size_t rowsNotJSON = countNotJSON(rows) + reader.rowsBroken;
        const size_t rowsNotObjects = rows.to - rows.from - rowsNotJSON - reader.rowsObjects;
        return {fields.data(), fields.size(), reader.names.isCut, rowsNotJSON, rowsNotObjects};
    }
};

pyra_field_summarizer *pyra_field_summarizer_create(size_t fields_max) {
    try {
        return new pyra_field_summarizer(fields_max);
    } catch (...) {
        return nullptr;
    }
}

void pyra_field_summarizer_destroy(pyra_field_summarizer *summarizer) { delete summarizer; }

pyra_json_code pyra_field_summarizer_begin(
    pyra_field_summarizer *summarizer, const pyra_field *fields, size_t count, pyra_json_error *error
) {
    return guarded(error, [&] {
        summarizer->reader.names.clear();
        summarizer->kinds.clear();
        for (size_t index = 0; index < count; index++) {
            summarizer->reader.names.add(fields[index].name, fields[index].name_count);
            summarizer->kinds.push_back(fields[index].kinds);
        }
    });
}

pyra_json_code pyra_field_summarizer_add(
    pyra_field_summarizer *summarizer, const pyra_field_rows *rows, pyra_field_summary *summary,
    pyra_json_error *error
) {
    return guarded(error, [&] {
        KindSink sink{*rows, summarizer->kinds};
        summarizer->reader.read(*rows, SIZE_MAX, sink);
        *summary = summarizer->summary(*rows);
    });
}
