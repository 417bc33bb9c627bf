#pragma once
#include "State.hpp"

#include <algorithm>
#include <cstring>

namespace pyra {

// Text and index of a window stay in the second-level cache.
inline constexpr size_t windowBytes = 96 * 1024;

/// One pass over complete lines, a window of them at a time: the text of each that is not blank is added to the values.
///
/// `take(walk, base, line)` steps over the JSON text of a line, whose positions in the caller's text are `base` more; an
/// error has the position without it.
template <class Take> class LineReader {
public:
    LineReader(pyra_json &json, const uint8_t *text, size_t recordsMax, Take take)
        : json(json), text(text), recordsMax(recordsMax), take(take) {}

    size_t consumed = 0;
    size_t lines = 0;

    void read(size_t from, size_t count, bool isFinal) {
        consumed = from;
        while (consumed < count && !isFull) {
            size_t end = windowEnd(consumed, count, isFinal);
            if (end == consumed) { return; }
            readWindow(consumed, end);
        }
    }

private:
    pyra_json &json;
    const uint8_t *text;
    const size_t recordsMax;
    Take take;
    bool isFull = false;

    /// Behind the last newline within a window's length, or behind the first one if that line is longer.
    size_t windowEnd(size_t from, size_t count, bool isFinal) {
        size_t limit = std::min(from + windowBytes, count);
        if (isFinal && limit == count) { return count; }
        if (auto last = memrchr(text + from, '\n', limit - from)) { return offset(last) + 1; }
        if (auto first = memchr(text + limit, '\n', count - limit)) { return offset(first) + 1; }
        return isFinal ? count : from;
    }

    size_t offset(const void *pointer) { return size_t(static_cast<const uint8_t *>(pointer) - text); }

    void readWindow(size_t from, size_t end) {
        Tokens tokens{};
        Fault fault = json.indexer.index(text + from, end - from, tokens);
        if (fault == Fault::none || fault == Fault::empty) {
            readLines(from, end, tokens);
        } else if (fault == Fault::memory || fault == Fault::capacity) {
            raise(fault, int64_t(from));
        } else {
            readLinesOneByOne(end);
        }
    }

    /// A fault somewhere in the window: each line is indexed by itself, so that the right one is blamed.
    void readLinesOneByOne(size_t end) {
        while (consumed < end && !isFull) {
            auto newline = static_cast<const uint8_t *>(memchr(text + consumed, '\n', end - consumed));
            size_t lineEnd = newline ? offset(newline) + 1 : end;
            Tokens tokens{};
            Fault fault = json.indexer.index(text + consumed, lineEnd - consumed, tokens);
            if (fault != Fault::none && fault != Fault::empty) {
                uint32_t position = locate(fault, text + consumed, uint32_t(lineEnd - consumed));
                raise(fault, int64_t(consumed + position), int64_t(lines + 1));
            }
            readLines(consumed, lineEnd, tokens);
        }
    }

    void readLines(size_t from, size_t end, const Tokens &tokens) {
        const uint8_t *base = text + from;
        const uint32_t length = uint32_t(end - from);
        Walk walk(tokens);
        uint32_t lineStart = 0;
        while (lineStart < length) {
            auto newline = static_cast<const uint8_t *>(memchr(base + lineStart, '\n', length - lineStart));
            uint32_t lineEnd = newline ? uint32_t(newline - base) : length;
            if (!walk.atEnd() && tokens.at[walk.next] < lineEnd) {
                if (json.values.size() >= recordsMax) {
                    isFull = true;
                    return;
                }
                try {
                    readLine(walk, lineStart, lineEnd, uint32_t(from));
                } catch (Failure &failure) {
                    failure.item = int64_t(lines + 1);
                    failure.position += int64_t(from);
                    throw;
                }
            }
            lines++;
            lineStart = newline ? lineEnd + 1 : length;
            consumed = from + lineStart;
        }
    }

    void readLine(Walk &walk, uint32_t lineStart, uint32_t lineEnd, uint32_t from) {
        const Tokens &tokens = walk.tokens;
        uint32_t start = walk.start(), position = 0;
        if (tokens.hasEscapes && !checkEscapes(tokens.text, lineStart, lineEnd, position)) { raise(Fault::string, position); }
        take(walk, from, lines + 1);
        if (tokens.at[walk.next - 1] >= lineEnd) {
            raise(PYRA_JSON_INVALID, lineEnd, {}, "The line ends inside its JSON text: one record is one line.");
        }
        if (!walk.atEnd() && tokens.at[walk.next] < lineEnd) {
            raise(PYRA_JSON_INVALID, walk.start(), {}, "The line goes on after its JSON text: one record is one line.");
        }
        uint32_t end = lineEnd;
        while (isSpace(tokens.text[end - 1])) { end--; }
        json.values.push_back({start + from, end - start});
    }
};

}
