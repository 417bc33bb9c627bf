#pragma once
// The top-level members of records' JSON values as columns, and which there are. Values lie back to back in
// one buffer, without separators or padding. They were checked when they were appended; bytes that are no
// JSON text after all never crash these functions and spoil no row but their own. No exception leaves these
// functions. One handle serves one thread at a time.
#include "CSimdJSON.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The rows `from ..< to` of a batch. Value i is `values[offsets[i] ..< offsets[i + 1]]`.
typedef struct {
    const uint8_t *values;
    size_t values_count;
    /// `to + 1` of them at least.
    const int32_t *offsets;
    /// 0: JSON; anything else: other bytes. NULL: all are JSON.
    const uint8_t *types;
    size_t from;
    size_t to;
} pyra_field_rows;

/// The kinds of value that a field has had.
enum {
    PYRA_FIELD_NULL = 1,
    PYRA_FIELD_BOOLEAN = 2,
    /// An integer literal within 64 bits.
    PYRA_FIELD_INTEGER = 4,
    PYRA_FIELD_NUMBER = 8,
    PYRA_FIELD_STRING = 16,
    /// An object or an array.
    PYRA_FIELD_NESTED = 32,
};

typedef struct {
    /// Decoded.
    const uint8_t *name;
    uint32_t name_count;
    uint8_t kinds;
} pyra_field;

typedef struct {
    /// In order of first appearance; valid until the next call.
    const pyra_field *fields;
    size_t count;
    /// There are more names than a summary has room for.
    bool is_cut;
    /// Of the last call: rows of other bytes than JSON, and JSON values that are no objects.
    size_t rows_not_json;
    size_t rows_not_objects;
} pyra_field_summary;

typedef struct pyra_field_summarizer pyra_field_summarizer;

/// NULL without memory.
pyra_field_summarizer *pyra_field_summarizer_create(size_t fields_max);
void pyra_field_summarizer_destroy(pyra_field_summarizer *summarizer);

/// Starts a summary with what an earlier one had found (names, each once).
pyra_json_code pyra_field_summarizer_begin(
    pyra_field_summarizer *summarizer, const pyra_field *fields, size_t count, pyra_json_error *error);

/// Adds the members of the rows' objects.
pyra_json_code pyra_field_summarizer_add(
    pyra_field_summarizer *summarizer, const pyra_field_rows *rows, pyra_field_summary *summary,
    pyra_json_error *error);

typedef enum {
    /// `uint8_t`, 0 or 1.
    PYRA_COLUMN_BOOLEAN,
    /// `int64_t`, of integer literals.
    PYRA_COLUMN_INT64,
    /// `double`, of all number literals that are finite.
    PYRA_COLUMN_DOUBLE,
    /// A string's content: 16 bytes as DuckDB's `duckdb_string_t` has them.
    PYRA_COLUMN_TEXT,
    /// The value's JSON text as it stands, in 16 bytes of the same form.
    PYRA_COLUMN_JSON,
} pyra_column_target;

enum {
    /// Booleans and numbers: a string whose whole content is such a literal is taken as well.
    PYRA_COLUMN_LENIENT = 1,
    /// Text: other scalars and nested values give their JSON text.
    PYRA_COLUMN_ANY_AS_TEXT = 2,
};

typedef struct {
    const uint8_t *name;
    size_t name_count;
    pyra_column_target target;
    /// `PYRA_COLUMN_LENIENT`, `PYRA_COLUMN_ANY_AS_TEXT`.
    uint32_t flags;
} pyra_column;

/// Arrays of the caller, indexed by row number minus `from`. Aligned to 8 bytes.
typedef struct {
    /// One element a row; zero bytes where the row has no value.
    void *values;
    /// One bit a row, 1: there is a value.
    uint64_t *validity;
    /// Set: values that are there and not null, but cannot be given in the target.
    size_t misfits;
} pyra_column_output;

typedef struct pyra_extractor pyra_extractor;
/// Decoded texts, which headers point into.
typedef struct pyra_text_arena pyra_text_arena;

/// NULL without memory. The names are copied.
pyra_extractor *pyra_extractor_create(const pyra_column *columns, size_t count);
void pyra_extractor_destroy(pyra_extractor *extractor);

/// Fills one output a column. Of members of one name, the last one counts.
///
/// Texts of more than 12 bytes point into `rows->values`, or into `arena` when they had to be decoded: NULL
/// when none had to be, else the caller's to destroy.
pyra_json_code pyra_extractor_extract(
    pyra_extractor *extractor, const pyra_field_rows *rows, pyra_column_output *outputs,
    pyra_text_arena **arena, pyra_json_error *error);

size_t pyra_text_arena_bytes(const pyra_text_arena *arena);
void pyra_text_arena_destroy(pyra_text_arena *arena);

#ifdef __cplusplus
}
#endif
