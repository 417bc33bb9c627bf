#include "Envelope.hpp"
#include "Lines.hpp"

namespace pyra {

namespace {

/// Far enough below the end of the numbers that nobody's sum overflows.
constexpr int64_t offsetMax = int64_t(1) << 60;

/// Reads one line of a dump: the fields of a record, those of a batch's envelope among them. Unknown ones are passed over.
class DumpLineReader : public EnvelopeReader {
public:
    using EnvelopeReader::EnvelopeReader;

    pyra_json_dump_line read() {
        if (walk.peek() != '{') { raise(PYRA_JSON_WRONG_TYPE, walk.start(), {}, "A line of a dump must be an object."); }
        line.log = line.tombstone = {PYRA_JSON_ABSENT, 0};
        readFields();
        line.envelope = envelope;
        return line;
    }

protected:
    bool otherField(const std::string &name) override {
        static const char *const names[] = {"log", "offset", "arrival", "expires_at", "tombstone", "superseded"};
        uint32_t index = 0;
        while (index < std::size(names) && name != names[index]) { index++; }
        if (index == std::size(names)) { return true; }
        if (seenOthers & 1u << index) { raise(PYRA_JSON_DUPLICATE_FIELD, position, name, "appears twice"); }
        seenOthers |= 1u << index;
        if (isNull()) { return true; }
        switch (index) {
        case 0: line.log = stringField(name); break;
        case 1: line.offset = integer(name, 0, offsetMax); lineHas(PYRA_JSON_DUMP_HAS_OFFSET); break;
        case 2: time(name, line.arrival); lineHas(PYRA_JSON_DUMP_HAS_ARRIVAL); break;
        case 3: deadline(name); lineHas(PYRA_JSON_DUMP_HAS_DEADLINE); break;
        case 4: line.tombstone = stringField(name); break;
        case 5: superseded(name); break;
        }
        return true;
    }

private:
    pyra_json_dump_line line{};
    uint32_t seenOthers = 0;

    void lineHas(unsigned bit) { line.has = uint8_t(line.has | bit); }

    void time(const std::string &name, int64_t &milliseconds) {
        if (const char *complaint = timeValue(tokens, position, walk.valueEnd(), milliseconds)) {
            raise(PYRA_JSON_WRONG_TYPE, position, name, complaint);
        }
    }

    /// Deadlines may lie behind the last year that RFC 3339 can write.
    void deadline(const std::string &name) {
        if (tokens.text[position] == '"') { return time(name, line.expires_at); }
        line.expires_at = integer(name, -offsetMax, offsetMax);
    }

    void superseded(const std::string &name) {
        const uint8_t first = tokens.text[position];
        if (first != 't' && first != 'f') { raise(PYRA_JSON_WRONG_TYPE, position, name, "must be true or false"); }
        if (first == 't') { lineHas(PYRA_JSON_DUMP_SUPERSEDED); }
    }
};

}

}

using namespace pyra;

pyra_json_code pyra_json_dump_lines(
    pyra_json *json, const uint8_t *text, size_t from, size_t count, bool is_final, size_t lines_max,
    size_t key_bytes_max, size_t *consumed, size_t *lines, pyra_json_error *error
) {
    LineReader reader(*json, text, lines_max, [&](Walk &walk, uint32_t base, size_t number) {
        json->dumpLines.push_back(DumpLineReader(*json, walk, key_bytes_max, base).read());
        json->dumpLines.back().number = uint32_t(number);
    });
    pyra_json_code code = guarded(error, [&] {
        if (count > 0x7FFFFFFF) { raise(Fault::capacity, -1); }
        reader.read(from, count, is_final);
    });
    *consumed = reader.consumed;
    *lines = reader.lines;
    return code;
}

size_t pyra_json_found_dump_lines(const pyra_json *json, const pyra_json_dump_line **lines) {
    *lines = json->dumpLines.data();
    // A line at fault may be one more than the texts.
    return std::min(json->dumpLines.size(), json->values.size());
}
