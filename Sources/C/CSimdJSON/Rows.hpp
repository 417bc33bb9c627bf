#pragma once
#include "CSimdJSON.h"
#include "Names.hpp"
#include "State.hpp"

#include <algorithm>

namespace pyra {

/// Calls `member(field, start, end)` for each member of the object whose brace is `token`, which is moved
/// behind it; the value lies between the positions `start` and `end`, with space behind it perhaps.
/// - Returns: whether the object is the only thing before `rowEnd`; otherwise `member` may have had any part
/// of it.
template <class Member>
bool walkObject(const Tokens &tokens, uint32_t &token, uint32_t rowEnd, Names &names, Member member) {
    const uint8_t *text = tokens.text;
    const uint32_t *at = tokens.at;
    const uint32_t count = tokens.count;
    Spelling *previous = &names.first;
    uint32_t next = token;
    if (count - next < 2 || text[at[next]] != '{') { return false; }
    next++;
    if (text[at[next]] == '}') {
        next++;
    } else {
        for (uint8_t separator = ','; separator == ',';) {
            // Name, colon, value and what follows.
            if (count - next < 4) { return false; }
            const uint32_t quote = at[next], colon = at[next + 1], value = at[next + 2];
            if (text[quote] != '"' || text[colon] != ':') { return false; }
            // The first stage lets only space stand between a string and the next token.
            uint32_t nameEnd = colon - 1;
            while (nameEnd > quote && text[nameEnd] <= ' ') { nameEnd--; }
            if (nameEnd == quote) { return false; }
            const uint8_t *name = text + quote + 1;
            Spelling *spelling = previous->next;
            if (!spelling || !spelling->isAt(name, nameEnd - quote - 1, text + tokens.length)) {
                spelling = previous->next = &names.resolve(name, nameEnd - quote - 1);
            }
            previous = spelling;
            next += 3;
            if ((text[value] | 0x20) == '{') {
                // Brackets of both kinds differ in this bit only; that they match was checked long ago.
                for (uint32_t depth = 1; depth > 0; next++) {
                    if (next == count) { return false; }
                    uint8_t byte = text[at[next]] | 0x20;
                    depth += uint32_t(byte == '{') - uint32_t(byte == '}');
                }
                if (next == count) { return false; }
            }
            separator = text[at[next]];
            if (separator != ',' && separator != '}') { return false; }
            member(spelling->field, value, at[next]);
            next++;
        }
    }
    token = next;
    return at[next - 1] < rowEnd && (next == count || at[next] >= rowEnd);
}

/// Whether the row has bytes, all of them in the buffer.
inline bool hasBytes(const pyra_field_rows &rows, size_t row) {
    int32_t start = rows.offsets[row], end = rows.offsets[row + 1];
    return start >= 0 && start < end && size_t(end) <= rows.values_count;
}

/// Goes through rows' objects, many values at a time.
class RowReader {
public:
    Names names;
    /// Of the last call: rows whose bytes are no JSON although they are said to be.
    size_t rowsBroken = 0;
    size_t rowsObjects = 0;

    /// - Parameter fieldsMax: see `Names`.
    explicit RowReader(size_t fieldsMax) : names(fieldsMax) {}

    /// For some rows at a time, not all of which need have an object: calls `sink.begin(first, end)`,
    /// `sink.member(row, field, start, end)` for the members (positions in `values`), `sink.forget(row)` when
    /// a row is broken, and `sink.finish(hasEscapes)`. Rows count from `rows.from`.
    template <class Sink> void read(const pyra_field_rows &rows, size_t windowRowsMax, Sink &sink) {
        rowsBroken = rowsObjects = 0;
        size_t row = rows.from;
        while (row < rows.to) {
            if (!startsObject(rows, row)) {
                row++;
                continue;
            }
            size_t first = row++;
            const int64_t windowEnd = rows.offsets[first] + windowBytes;
            // Other values than objects would run into each other; rows without bytes stand in nobody's way.
            while (row < rows.to && row - first < windowRowsMax && rows.offsets[row + 1] <= windowEnd
                   && (rows.offsets[row] == rows.offsets[row + 1] || startsObject(rows, row))) {
                row++;
            }
            sink.begin(first - rows.from, row - rows.from);
            sink.finish(readWindow(rows, first, row, sink));
        }
        indexer.shrink();
    }

private:
    // Text and index of a window stay in the second-level cache.
    static constexpr int64_t windowBytes = 96 * 1024;

    Indexer indexer;

    static bool startsObject(const pyra_field_rows &rows, size_t row) {
        if ((rows.types && rows.types[row] != 0) || !hasBytes(rows, row)) { return false; }
        const uint8_t *byte = rows.values + rows.offsets[row], *end = rows.values + rows.offsets[row + 1];
        while (byte < end && isSpace(*byte)) { byte++; }
        return byte < end && *byte == '{';
    }

    /// - Returns: whether there may be escapes in the rows.
    template <class Sink> bool readWindow(const pyra_field_rows &rows, size_t first, size_t end, Sink &sink) {
        Tokens tokens{};
        size_t row = first;
        if (index(rows, first, end, tokens)) {
            uint32_t token = 0;
            while (row < end && readRow(rows, first, row, tokens, token, sink)) { row++; }
            if (row == end) { return tokens.hasEscapes; }
            // What a broken row holds may have turned strings inside out behind it.
            row++;
        }
        for (; row < end; row++) {
            uint32_t token = 0;
            if (!hasBytes(rows, row)) { continue; }
            if (index(rows, row, row + 1, tokens)) {
                readRow(rows, row, row, tokens, token, sink);
            } else {
                rowsBroken++;
            }
        }
        return true;
    }

    /// False when the first stage finds a fault anywhere in the rows.
    bool index(const pyra_field_rows &rows, size_t first, size_t end, Tokens &tokens) {
        const int32_t start = rows.offsets[first];
        Fault fault = indexer.index(rows.values + start, size_t(rows.offsets[end] - start), tokens);
        if (fault == Fault::memory || fault == Fault::capacity) { raise(fault, start); }
        return fault == Fault::none;
    }

    /// False when the row is broken. `first` is the row that the tokens begin with.
    template <class Sink>
    bool readRow(
        const pyra_field_rows &rows, size_t first, size_t row, const Tokens &tokens, uint32_t &token,
        Sink &sink
    ) {
        const uint32_t base = uint32_t(rows.offsets[first]), rowEnd = uint32_t(rows.offsets[row + 1]) - base;
        if (rows.offsets[row] == rows.offsets[row + 1]) { return true; }
        const size_t number = row - rows.from;
        auto member = [&](int32_t field, uint32_t start, uint32_t end) {
            sink.member(number, field, base + start, base + end);
        };
        const bool isWhole = walkObject(tokens, token, rowEnd, names, member);
        if (isWhole) {
            rowsObjects++;
        } else {
            rowsBroken++;
            sink.forget(number);
        }
        return isWhole;
    }
};

}
