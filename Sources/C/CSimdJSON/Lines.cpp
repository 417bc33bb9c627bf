#include "Lines.hpp"

using namespace pyra;

pyra_json_code pyra_json_lines(
    pyra_json *json, const uint8_t *text, size_t from, size_t count, bool is_final,
    const pyra_json_fields *fields, size_t records_max, size_t *consumed, size_t *lines, pyra_json_error *error
) {
    LineReader reader(*json, text, records_max, [&](Walk &walk, uint32_t base, size_t) {
        skipRecord(*json, walk, fields, base);
    });
    pyra_json_code code = guarded(error, [&] {
        if (count > 0x7FFFFFFF) { raise(Fault::capacity, -1); }
        reader.read(from, count, is_final);
    });
    *consumed = reader.consumed;
    *lines = reader.lines;
    return code;
}
