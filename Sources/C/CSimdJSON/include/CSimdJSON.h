#pragma once
// Record bodies: simdjson finds structure, validates UTF-8 and control characters; the walk over that structure
// checks the grammar, the depth, numbers of any size and escapes, and says where values lie in the sender's bytes.
// No exception leaves these functions. One handle serves one thread at a time.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PYRA_JSON_DEPTH_MAX = 64,
    /// In a slice's `word`: the bytes lie in the handle's scratch, not in the text.
    PYRA_JSON_SCRATCH_BIT = 0x80000000,
};
#define PYRA_JSON_ABSENT 0xFFFFFFFFu

/// Where bytes lie: start (with `PYRA_JSON_SCRATCH_BIT`) and count; `PYRA_JSON_ABSENT` and 0 when there are none.
typedef struct {
    uint32_t word;
    uint32_t count;
} pyra_json_slice;

typedef enum {
    PYRA_JSON_OK = 0,
    PYRA_JSON_INVALID,
    PYRA_JSON_TOO_DEEP,
    PYRA_JSON_TOO_MANY,
    PYRA_JSON_TOO_LARGE,
    PYRA_JSON_NO_MEMORY,
    /// These name a field.
    PYRA_JSON_UNKNOWN_FIELD,
    PYRA_JSON_DUPLICATE_FIELD,
    PYRA_JSON_WRONG_TYPE,
    PYRA_JSON_OUT_OF_RANGE,
    PYRA_JSON_MISSING,
    PYRA_JSON_CONFLICT,
} pyra_json_code;

typedef enum {
    PYRA_JSON_NULL,
    PYRA_JSON_BOOL,
    PYRA_JSON_NUMBER,
    PYRA_JSON_STRING,
    PYRA_JSON_ARRAY,
    PYRA_JSON_OBJECT,
} pyra_json_kind;

typedef struct {
    pyra_json_code code;
    /// Of the byte in the text where it was noticed; -1 when unknown.
    int64_t position;
    /// Index of the record (from 0), or line within the call (from 1); -1 without one.
    int64_t item;
    char field[64];
    char message[192];
} pyra_json_error;

/// Which fields of a record's object say its key and its time; NULL: none.
typedef struct {
    const uint8_t *key_name;
    size_t key_name_count;
    const uint8_t *timestamp_name;
    size_t timestamp_name_count;
    size_t key_bytes_max;
} pyra_json_fields;

/// What was found, column by column; `keys` and `timestamps` are NULL unless asked for. Valid until the next call.
typedef struct {
    const pyra_json_slice *values;
    const pyra_json_slice *keys;
    const int64_t *timestamps;
    size_t count;
    const uint8_t *scratch;
    size_t scratch_count;
} pyra_json_records;

enum {
    PYRA_JSON_HAS_TIMESTAMP = 1,
    PYRA_JSON_HAS_TTL = 2,
    PYRA_JSON_HAS_PRIORITY = 4,
    PYRA_JSON_HAS_PARTITION = 8,
};

typedef enum {
    PYRA_JSON_VALUE_MISSING,
    PYRA_JSON_VALUE_NULL,
    PYRA_JSON_VALUE_JSON,
    PYRA_JSON_VALUE_TEXT,
    PYRA_JSON_VALUE_BYTES,
} pyra_json_value_form;

typedef struct {
    pyra_json_slice value;
    pyra_json_slice key;
    pyra_json_slice content_type;
    /// The JSON text of the headers object.
    pyra_json_slice headers;
    int64_t timestamp;
    int64_t ttl_ms;
    int32_t partition;
    uint8_t priority;
    uint8_t form;
    uint8_t has;
    uint8_t reserved;
} pyra_json_envelope;

enum {
    PYRA_JSON_DUMP_HAS_OFFSET = 1,
    PYRA_JSON_DUMP_HAS_ARRIVAL = 2,
    PYRA_JSON_DUMP_HAS_DEADLINE = 4,
    PYRA_JSON_DUMP_SUPERSEDED = 8,
};

/// A line of a dump; only those of records have an offset.
typedef struct {
    pyra_json_envelope envelope;
    pyra_json_slice log;
    pyra_json_slice tombstone;
    int64_t offset;
    int64_t arrival;
    int64_t expires_at;
    /// Within the call, from 1.
    uint32_t number;
    uint8_t has;
    uint8_t reserved[3];
} pyra_json_dump_line;

typedef struct pyra_json pyra_json;

/// NULL without memory.
pyra_json *pyra_json_create(void);
void pyra_json_destroy(pyra_json *json);

/// Forgets the records found so far; gives large working memory back.
void pyra_json_reset(pyra_json *json);
pyra_json_records pyra_json_found(const pyra_json *json);

/// Exactly one JSON text: one record (whitespace around it trimmed). Forgets those found before.
pyra_json_code pyra_json_value(
    pyra_json *json, const uint8_t *text, size_t count, const pyra_json_fields *fields,
    pyra_json_kind *kind, pyra_json_error *error);

/// One array text: a record for each element. Forgets those found before.
pyra_json_code pyra_json_elements(
    pyra_json *json, const uint8_t *text, size_t count, const pyra_json_fields *fields, size_t records_max,
    pyra_json_error *error);

/// The complete lines from `from` on (the last one without its newline if `is_final`). Adds a record for each line
/// that is not blank to those found before (with the same fields), positions counted from `text`; stops before a line that would pass `records_max`.
/// `consumed` is the position behind the last line taken, `lines` how many lines that were.
pyra_json_code pyra_json_lines(
    pyra_json *json, const uint8_t *text, size_t from, size_t count, bool is_final,
    const pyra_json_fields *fields, size_t records_max, size_t *consumed, size_t *lines, pyra_json_error *error);

/// `{"records": [envelope, …]}`. The envelopes are valid until the next call. Forgets records found before.
pyra_json_code pyra_json_envelopes(
    pyra_json *json, const uint8_t *text, size_t count, size_t records_max, size_t key_bytes_max,
    const pyra_json_envelope **envelopes, size_t *envelope_count, pyra_json_error *error);

/// Complete lines as `pyra_json_lines` takes them, each of them an object whose fields are read and may be unknown.
/// What is found lies beside the values that it finds.
pyra_json_code pyra_json_dump_lines(
    pyra_json *json, const uint8_t *text, size_t from, size_t count, bool is_final, size_t lines_max,
    size_t key_bytes_max, size_t *consumed, size_t *lines, pyra_json_error *error);

/// How many there are; valid until the next call.
size_t pyra_json_found_dump_lines(const pyra_json *json, const pyra_json_dump_line **lines);

/// RFC 7396. `error->item` is 0 when the target is at fault, 1 for the patch. The result is valid until the next call.
pyra_json_code pyra_json_merge(
    pyra_json *json, const uint8_t *target, size_t target_count, const uint8_t *patch, size_t patch_count,
    const uint8_t **result, size_t *result_count, pyra_json_error *error);

bool pyra_json_is_utf8(const uint8_t *bytes, size_t count);

/// Unix milliseconds of an RFC 3339 time; false when it is none.
bool pyra_json_time(const uint8_t *bytes, size_t count, int64_t *milliseconds);

#ifdef __cplusplus
}
#endif

// The module has one header.
#include "CSimdJSONFields.h"
