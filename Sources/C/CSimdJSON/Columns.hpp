#pragma once
#include "Arena.hpp"
#include "CSimdJSON.h"

#include <vector>

struct pyra_text_arena {
    pyra::Arena arena;
};

namespace pyra {

/// Where a member's value lies in `values`, with space behind it perhaps; `end` is 0 when there is none.
struct Place {
    uint32_t start;
    uint32_t end;
};

/// DuckDB's `duckdb_string_t`: up to 12 bytes inside, padded with zeros; else their first four and where they
/// lie.
struct TextHeader {
    uint32_t count;
    uint32_t prefix;
    uint64_t rest;
};
static_assert(sizeof(TextHeader) == 16, "DuckDB's layout");

/// Keeps texts that occur again and again once, side by side: who reads them all finds them in the processor's caches, where
/// the values around each would pass through. Others stay where they are, where they are read one after the other.
class SharedTexts {
public:
    /// Before rows of another batch. A column's texts are shared if most of those of the last one were seen before.
    void begin(size_t columnCount);
    TextHeader shared(TextHeader header, size_t column, pyra_text_arena *&arena);

private:
    struct Column {
        size_t seenCount = 0;
        size_t newCount = 0;
        bool isShared = false;
    };
    // 64 KiB: a small part of a second-level cache.
    static constexpr unsigned placeBits = 11;
    std::vector<TextHeader> slots;
    std::vector<Column> columns;
};

/// Converts values found into one column.
struct ColumnWriter {
    const pyra_field_rows &rows;
    const pyra_column &column;
    pyra_column_output &output;
    /// Made when the first text has to be put there.
    pyra_text_arena *&arena;
    std::vector<uint8_t> &scratch;
    SharedTexts &texts;
    size_t number;
    /// There may be escapes in the values.
    bool hasEscapes = true;

    /// Sets all rows to "no value".
    void clear();
    /// The places are those of rows from `first` on.
    void write(const Place *places, size_t first, size_t count);
};

}
