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

/// Converts values found into one column.
struct ColumnWriter {
    const pyra_field_rows &rows;
    const pyra_column &column;
    pyra_column_output &output;
    /// Made when the first text has to be put there.
    pyra_text_arena *&arena;
    std::vector<uint8_t> &scratch;
    /// There may be escapes in the values.
    bool hasEscapes = true;

    /// Sets all rows to "no value".
    void clear();
    /// The places are those of rows from `first` on.
    void write(const Place *places, size_t first, size_t count);
};

}
