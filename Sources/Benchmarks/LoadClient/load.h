// What the parts of the load client share.
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t now_nanoseconds(void);
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/// A connection on loopback, blocking, without Nagle's delay. Ends the process where there is none.
int connect_to(int port);
void make_nonblocking(int file);

// Latencies: buckets of 1/64 of a power of two, so a quantile is right to 1.6 %.

enum { BUCKETS_PER_POWER = 64, POWERS = 40 };

struct histogram {
    uint64_t count;
    int64_t max;
    uint64_t buckets[POWERS * BUCKETS_PER_POWER];
};

void record(struct histogram *histogram, int64_t nanoseconds);
int64_t quantile(const struct histogram *histogram, double share);

// Answers, byte by byte as they come; nothing of them is kept but the line that is being read.

enum protocol { HTTP, REDIS, MEMCACHED, POSTGRES };
enum { LINE_BYTES_MAX = 4096 };

struct parser {
    enum protocol protocol;
    char line[LINE_BYTES_MAX];
    size_t line_bytes;
    /// Of a value or a body, still to come and not looked at.
    int64_t skip_bytes;
    /// PostgreSQL: of the message's head, or of an error's text.
    size_t wanted_bytes;
    /// HTTP: of the body; -1 until a header says.
    int64_t body_bytes;
    bool in_headers;
    bool in_body;
    int status;
    /// Redis: elements still to come of arrays.
    int64_t elements;
    /// What came to an end: by `take`.
    int answers, misses, errors;
    char error[200];
};

void begin(struct parser *parser, enum protocol protocol);
void take(struct parser *parser, const char *bytes, size_t count);

// Event streams.

struct tail_options {
    int port;
    const char *log;
    int connections;
    double rate;
    double seconds;
};

void run_tails(struct tail_options options);

#endif
