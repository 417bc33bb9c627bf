#include "Columns.hpp"
#include "Literals.hpp"
#include "Bytes.hpp"
#include "Walk.hpp"

#include <memory>
#include <utility>

namespace pyra {

namespace {

struct Bytes {
    const uint8_t *start;
    size_t count;
};

constexpr size_t inlineMax = 12;

/// - Parameter end: how far it may be read.
inline TextHeader header(Bytes text, const uint8_t *end) {
    TextHeader header{uint32_t(text.count), 0, 0};
    if (text.count > inlineMax) {
        header.prefix = loadFour(text.start);
        header.rest = uint64_t(reinterpret_cast<uintptr_t>(text.start));
    } else if (end - text.start >= ptrdiff_t(inlineMax)) {
        header.prefix = uint32_t(loadFour(text.start) & firstBytes(text.count));
        header.rest = text.count > 4 ? loadEight(text.start + 4) & firstBytes(text.count - 4) : 0;
    } else {
        uint8_t padded[inlineMax] = {};
        memcpy(padded, text.start, text.count);
        header.prefix = loadFour(padded);
        header.rest = loadEight(padded + 4);
    }
    return header;
}

/// The bytes between the quotes of a string.
inline bool isString(Bytes value, Bytes &content) {
    if (value.count < 2 || value.start[0] != '"' || value.start[value.count - 1] != '"') { return false; }
    content = {value.start + 1, value.count - 2};
    return true;
}

inline bool isEscaped(const ColumnWriter &writer, Bytes content) {
    return writer.hasEscapes && memchr(content.start, '\\', content.count) != nullptr;
}

Bytes decoded(ColumnWriter &writer, Bytes content) {
    writer.scratch.clear();
    // Even nothing gets an address.
    writer.scratch.reserve(content.count);
    decodeString(content.start, content.count, writer.scratch);
    return {writer.scratch.data(), writer.scratch.size()};
}

/// A header of bytes that go away.
TextHeader keptHeader(ColumnWriter &writer, Bytes text) {
    if (text.count > inlineMax) {
        if (!writer.arena) { writer.arena = new pyra_text_arena(); }
        text.start = writer.arena->arena.add(text.start, text.count);
    }
    return header(text, text.start + text.count);
}

/// Calls `convert(value, element)` for the values that are not null, and keeps whether it could.
template <class Element, class Convert>
void convertAll(ColumnWriter &writer, const Place *places, size_t first, size_t count, Convert convert) {
    auto elements = static_cast<Element *>(writer.output.values);
    for (size_t index = 0; index < count; index++) {
        Place place = places[index];
        if (place.end == 0) { continue; }
        while (place.end > place.start && writer.rows.values[place.end - 1] <= ' ') { place.end--; }
        Bytes value{writer.rows.values + place.start, place.end - place.start};
        const size_t row = first + index;
        if (convert(value, elements[row])) {
            writer.output.validity[row / 64] |= uint64_t(1) << (row % 64);
        } else if (!isNull(value.start, value.count)) {
            writer.output.misfits++;
        }
    }
}

/// The same for literals, which may stand in strings.
template <class Element, class Parse>
void convertLiterals(ColumnWriter &writer, const Place *places, size_t first, size_t count, Parse parse) {
    const bool isLenient = writer.column.flags & PYRA_COLUMN_LENIENT;
    convertAll<Element>(writer, places, first, count, [&](Bytes value, Element &element) {
        Element parsed;
        Bytes content;
        if (isLenient && isString(value, content)) {
            value = isEscaped(writer, content) ? decoded(writer, content) : content;
        }
        if (!parse(value.start, value.count, parsed)) { return false; }
        element = parsed;
        return true;
    });
}

void convertTexts(ColumnWriter &writer, const Place *places, size_t first, size_t count) {
    const bool takesAny = writer.column.flags & PYRA_COLUMN_ANY_AS_TEXT;
    const uint8_t *end = writer.rows.values + writer.rows.values_count;
    convertAll<TextHeader>(writer, places, first, count, [&](Bytes value, TextHeader &element) {
        Bytes content;
        if (isString(value, content)) {
            const bool mustDecode = isEscaped(writer, content);
            element = mustDecode ? keptHeader(writer, decoded(writer, content))
                                 : writer.texts.shared(header(content, end), writer.number, writer.arena);
            return true;
        }
        if (!takesAny || isNull(value.start, value.count)) { return false; }
        element = header(value, end);
        return true;
    });
}

void convertJSON(ColumnWriter &writer, const Place *places, size_t first, size_t count) {
    const uint8_t *end = writer.rows.values + writer.rows.values_count;
    convertAll<TextHeader>(writer, places, first, count, [&](Bytes value, TextHeader &element) {
        if (isNull(value.start, value.count)) { return false; }
        element = header(value, end);
        return true;
    });
}

size_t elementBytes(pyra_column_target target) {
    switch (target) {
    case PYRA_COLUMN_BOOLEAN: return sizeof(uint8_t);
    case PYRA_COLUMN_INT64: return sizeof(int64_t);
    case PYRA_COLUMN_DOUBLE: return sizeof(double);
    case PYRA_COLUMN_TEXT:
    case PYRA_COLUMN_JSON: return sizeof(TextHeader);
    }
    return 0;
}

}

void SharedTexts::begin(size_t columnCount) {
    slots.clear();
    columns.resize(columnCount);
    for (auto &column : columns) { column = {0, 0, column.seenCount > 2 * column.newCount}; }
}

TextHeader SharedTexts::shared(TextHeader header, size_t number, pyra_text_arena *&arena) {
    // Longer ones fill caches too.
    constexpr size_t sharedMax = 256;
    if (header.count <= inlineMax || header.count > sharedMax) { return header; }
    if (slots.empty()) { slots.resize(size_t(2) << placeBits); }
    auto bytes = [](const TextHeader &header) { return reinterpret_cast<const uint8_t *>(uintptr_t(header.rest)); };
    const uint64_t ends = loadEight(bytes(header) + 4) ^ loadEight(bytes(header) + header.count - 8) * 0x9E3779B97F4A7C15;
    // Two to a place, the one seen last first.
    TextHeader *slot = &slots[2 * (((ends + number) * 0xD6E8FEB86659FD93) >> (64 - placeBits))];
    Column &column = columns[number];
    auto isSame = [&](const TextHeader &other) {
        return other.count == header.count && memcmp(bytes(other), bytes(header), header.count) == 0;
    };
    bool isSeen = isSame(slot[0]);
    if (!isSeen && isSame(slot[1])) {
        std::swap(slot[0], slot[1]);
        isSeen = true;
    }
    if (isSeen) {
        column.seenCount++;
        return column.isShared ? slot[0] : header;
    }
    column.newCount++;
    if (column.isShared) {
        if (!arena) { arena = new pyra_text_arena(); }
        header.rest = uint64_t(reinterpret_cast<uintptr_t>(arena->arena.add(bytes(header), header.count)));
    }
    slot[1] = slot[0];
    slot[0] = header;
    return header;
}

void ColumnWriter::clear() {
    const size_t count = rows.to - rows.from;
    if (count > 0) {
        memset(output.values, 0, count * elementBytes(column.target));
        memset(output.validity, 0, (count + 63) / 64 * sizeof(uint64_t));
    }
    output.misfits = 0;
}

void ColumnWriter::write(const Place *places, size_t first, size_t count) {
    switch (column.target) {
    case PYRA_COLUMN_BOOLEAN: return convertLiterals<uint8_t>(*this, places, first, count, parseBoolean);
    case PYRA_COLUMN_INT64: return convertLiterals<int64_t>(*this, places, first, count, parseInt64);
    case PYRA_COLUMN_DOUBLE: return convertLiterals<double>(*this, places, first, count, parseDouble);
    case PYRA_COLUMN_TEXT: return convertTexts(*this, places, first, count);
    case PYRA_COLUMN_JSON: return convertJSON(*this, places, first, count);
    }
}

}
