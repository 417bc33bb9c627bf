// Where an answer of HTTP, Redis, memcached or PostgreSQL ends, and whether it was one.
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { POSTGRES_HEAD_BYTES = 5, POSTGRES_ERROR_BYTES_MAX = 150 };

void begin(struct parser *parser, enum protocol protocol) {
    *parser = (struct parser){.protocol = protocol, .body_bytes = -1, .wanted_bytes = POSTGRES_HEAD_BYTES};
}

static void note_error(struct parser *parser, const char *line) {
    parser->errors++;
    if (parser->error[0] == 0) {
        snprintf(parser->error, sizeof parser->error, "%.190s", line);
    }
}

static void end_http(struct parser *parser) {
    parser->answers++;
    parser->in_headers = parser->in_body = false;
    parser->body_bytes = -1;
}

static void take_http_line(struct parser *parser) {
    char *line = parser->line;
    if (!parser->in_headers) {
        parser->in_headers = true;
        parser->status = strlen(line) > 12 ? atoi(line + 9) : 0;
        parser->misses += parser->status == 404;
        if (parser->status != 404 && (parser->status < 200 || parser->status >= 400)) {
            note_error(parser, line);
        }
    } else if (strncasecmp(line, "Content-Length:", 15) == 0) {
        parser->body_bytes = atoll(line + 15);
    } else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0) {
        fail("an answer in chunks, which this client does not read");
    } else if (line[0] == 0) {
        if (parser->body_bytes > 0) {
            parser->skip_bytes = parser->body_bytes;
            parser->in_body = true;
        } else {
            end_http(parser);
        }
    }
}

static void end_redis_element(struct parser *parser) {
    if (parser->elements > 0) {
        parser->elements--;
    }
    parser->answers += parser->elements == 0;
}

static void take_redis_line(struct parser *parser) {
    char *line = parser->line;
    int64_t number = atoll(line + 1);
    switch (line[0]) {
    case '$':
        if (number >= 0) {
            // The end of the element comes with the empty line behind the value.
            parser->skip_bytes = number;
            parser->in_body = true;
            return;
        }
        parser->misses++;
        break;
    case '*':
        // The array is an element of what it lies in: it is replaced by its own.
        if (number > 0) {
            parser->elements += parser->elements > 0 ? number - 1 : number;
            return;
        }
        break;
    case '-':
        note_error(parser, line);
        break;
    case '+':
    case ':':
        break;
    default:
        // The end of a value's line.
        break;
    }
    end_redis_element(parser);
}

static void take_memcached_line(struct parser *parser) {
    char *line = parser->line;
    if (strncmp(line, "VALUE ", 6) == 0) {
        const char *size = strrchr(line, ' ');
        // Two bytes for the end of the value's line.
        parser->skip_bytes = atoll(size + 1) + 2;
        parser->in_body = true;
        return;
    }
    if (strcmp(line, "END") == 0) {
        parser->misses += !parser->in_body;
    } else if (strcmp(line, "STORED") != 0 && strcmp(line, "TOUCHED") != 0) {
        note_error(parser, line);
    }
    parser->in_body = false;
    parser->answers++;
}

static void take_line(struct parser *parser) {
    parser->line[parser->line_bytes] = 0;
    parser->line_bytes = 0;
    switch (parser->protocol) {
    case HTTP:
        take_http_line(parser);
        break;
    case REDIS:
        take_redis_line(parser);
        break;
    case MEMCACHED:
        take_memcached_line(parser);
        break;
    case POSTGRES:
        break;
    }
}

/// A type, four bytes of length that count themselves, and the rest, of which only errors are of interest.
static void take_postgres_message(struct parser *parser) {
    const unsigned char *head = (const unsigned char *)parser->line;
    int64_t rest = ((int64_t)head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4]) - 4;
    if (head[0] == 'E' && parser->wanted_bytes == POSTGRES_HEAD_BYTES) {
        parser->wanted_bytes += (size_t)(rest < POSTGRES_ERROR_BYTES_MAX ? rest : POSTGRES_ERROR_BYTES_MAX);
        return;
    }
    if (head[0] == 'E') {
        parser->line[parser->wanted_bytes] = 0;
        // Fields of an error end in zeros.
        for (size_t place = POSTGRES_HEAD_BYTES; place + 1 < parser->wanted_bytes; place++) {
            parser->line[place] = parser->line[place] == 0 ? ' ' : parser->line[place];
        }
        note_error(parser, parser->line + POSTGRES_HEAD_BYTES);
    }
    parser->skip_bytes = rest - (int64_t)(parser->wanted_bytes - POSTGRES_HEAD_BYTES);
    parser->answers += head[0] == 'Z';
    parser->wanted_bytes = POSTGRES_HEAD_BYTES;
    parser->line_bytes = 0;
}

void take(struct parser *parser, const char *bytes, size_t count) {
    const char *end = bytes + count;
    while (bytes < end) {
        if (parser->skip_bytes > 0) {
            int64_t skipped = end - bytes < parser->skip_bytes ? end - bytes : parser->skip_bytes;
            bytes += skipped;
            parser->skip_bytes -= skipped;
            if (parser->skip_bytes == 0 && parser->protocol == HTTP) {
                end_http(parser);
            }
            continue;
        }
        if (parser->protocol == POSTGRES) {
            parser->line[parser->line_bytes++] = *bytes++;
            if (parser->line_bytes == parser->wanted_bytes) {
                take_postgres_message(parser);
            }
            continue;
        }
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t length = (size_t)((newline != NULL ? newline : end) - bytes);
        // What does not fit is of no interest: the beginning of a line says what it is.
        size_t kept = LINE_BYTES_MAX - 1 - parser->line_bytes;
        kept = length < kept ? length : kept;
        memcpy(parser->line + parser->line_bytes, bytes, kept);
        parser->line_bytes += kept;
        if (newline == NULL) {
            return;
        }
        if (parser->line_bytes > 0 && parser->line[parser->line_bytes - 1] == '\r') {
            parser->line_bytes--;
        }
        bytes = newline + 1;
        take_line(parser);
    }
}
