#include "Columns.hpp"
#include "Rows.hpp"

using namespace pyra;

namespace {

// 512 KiB of places at most, unless there are thousands of columns.
constexpr size_t placesMax = 64 * 1024;
constexpr size_t windowRowsMin = 64;
constexpr size_t windowRowsMax = 4096;

/// Keeps where the fields' values lie in some rows, then has the columns written one after the other: of
/// members of one name the last one is left, at no cost.
struct PlaceSink {
    std::vector<Place> &places;
    std::vector<ColumnWriter> &writers;
    const std::vector<int32_t> &fields;
    const size_t fieldCount;
    size_t first = 0;
    size_t count = 0;

    void begin(size_t first, size_t end) {
        this->first = first;
        count = end - first;
        places.assign(fieldCount * count, Place{0, 0});
    }

    void member(size_t row, int32_t field, uint32_t start, uint32_t end) {
        if (field != noField) { places[size_t(field) * count + row - first] = {start, end}; }
    }

    void forget(size_t row) {
        for (size_t field = 0; field < fieldCount; field++) { places[field * count + row - first] = {0, 0}; }
    }

    void finish(bool hasEscapes) {
        for (size_t index = 0; index < writers.size(); index++) {
            writers[index].hasEscapes = hasEscapes;
            writers[index].write(places.data() + size_t(fields[index]) * count, first, count);
        }
    }
};

}

struct pyra_extractor {
    RowReader reader{0};
    std::vector<pyra_column> columns;
    /// Of each column; several columns may be of one field.
    std::vector<int32_t> fields;
    std::vector<Place> places;
    std::vector<uint8_t> scratch;
    SharedTexts texts;

    pyra_extractor(const pyra_column *columns, size_t count) : columns(columns, columns + count) {
        for (auto &column : this->columns) {
            fields.push_back(reader.names.add(column.name, column.name_count));
            // The caller's names go away.
            column.name = nullptr;
        }
    }

    void extract(const pyra_field_rows &rows, pyra_column_output *outputs, pyra_text_arena *&arena) {
        std::vector<ColumnWriter> writers;
        writers.reserve(columns.size());
        texts.begin(columns.size());
        for (size_t index = 0; index < columns.size(); index++) {
            writers.push_back({rows, columns[index], outputs[index], arena, scratch, texts, index});
            writers.back().clear();
        }
        if (columns.empty()) { return; }
        const size_t fieldCount = reader.names.fields.size();
        PlaceSink sink{places, writers, fields, fieldCount};
        reader.read(rows, std::clamp(placesMax / fieldCount, windowRowsMin, windowRowsMax), sink);
        forget(places);
        forget(scratch);
    }

private:
    /// Gives back what only a rare value needs.
    template <class Element> static void forget(std::vector<Element> &working) {
        if (working.capacity() * sizeof(Element) > 1024 * 1024) { working = std::vector<Element>(); }
    }
};

pyra_extractor *pyra_extractor_create(const pyra_column *columns, size_t count) {
    try {
        return new pyra_extractor(columns, count);
    } catch (...) {
        return nullptr;
    }
}

void pyra_extractor_destroy(pyra_extractor *extractor) { delete extractor; }

pyra_json_code pyra_extractor_extract(
    pyra_extractor *extractor, const pyra_field_rows *rows, pyra_column_output *outputs,
    pyra_text_arena **arena, pyra_json_error *error
) {
    *arena = nullptr;
    pyra_json_code code = guarded(error, [&] { extractor->extract(*rows, outputs, *arena); });
    if (code != PYRA_JSON_OK) {
        delete *arena;
        *arena = nullptr;
    }
    return code;
}

size_t pyra_text_arena_bytes(const pyra_text_arena *arena) { return arena->arena.bytes(); }
void pyra_text_arena_destroy(pyra_text_arena *arena) { delete arena; }
