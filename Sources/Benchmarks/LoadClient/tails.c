// Many event streams of one log while one connection appends to it at a steady rate: how long from the append's sending
// to each arrival, and how many arrive.
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DIGITS = 19, MARK_BYTES = 5, REST_BYTES_MAX = MARK_BYTES + DIGITS };
static const char MARK[] = "\"at\":";

struct tail {
    int file;
    /// The end of what was read, in which a mark may have begun.
    char rest[REST_BYTES_MAX];
    size_t rest_bytes;
};

struct writer {
    struct tail_options options;
    _Atomic uint64_t appended;
    _Atomic bool is_over;
    struct histogram latencies;
};

static void *append_steadily(void *argument) {
    struct writer *writer = argument;
    int file = connect_to(writer->options.port);
    struct parser *parser = malloc(sizeof *parser);
    begin(parser, HTTP);
    int64_t start = now_nanoseconds();
    int64_t end = start + (int64_t)(writer->options.seconds * 1e9);
    static char answer[65536];
    // What cannot be appended in time is not made up for.
    for (int64_t due = start; due < end && now_nanoseconds() < end; due += (int64_t)(1e9 / writer->options.rate)) {
        struct timespec until = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        char body[160], request[512];
        int64_t sent = now_nanoseconds();
        int body_bytes = snprintf(body, sizeof body, "{\"at\":%019lld,\"note\":\"%064d\"}", 1000000000000000000LL + sent, 0);
        int bytes = snprintf(request, sizeof request,
                             "POST /v1/logs/%s/records HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                             "Content-Length: %d\r\n\r\n%s",
                             writer->options.log, body_bytes, body);
        if (write(file, request, (size_t)bytes) != bytes) {
            fail("the append was not sent: %s", strerror(errno));
        }
        int answers = parser->answers;
        while (parser->answers == answers) {
            ssize_t count = read(file, answer, sizeof answer);
            if (count <= 0) {
                fail("the append was not answered");
            }
            take(parser, answer, (size_t)count);
        }
        if (parser->errors > 0) {
            fail("the append was refused: %s", parser->error);
        }
        record(&writer->latencies, now_nanoseconds() - sent);
        writer->appended++;
    }
    writer->is_over = true;
    close(file);
    free(parser);
    return NULL;
}

/// Looks for marks in what was left of the last piece and this one, which begins behind room for the rest.
static uint64_t arrivals(struct tail *tail, char *bytes, size_t count, struct histogram *latencies) {
    memcpy(bytes - tail->rest_bytes, tail->rest, tail->rest_bytes);
    const char *place = bytes - tail->rest_bytes, *end = bytes + count;
    int64_t now = now_nanoseconds();
    uint64_t found = 0;
    while (true) {
        const char *mark = memmem(place, (size_t)(end - place), MARK, MARK_BYTES);
        if (mark == NULL || end - mark < REST_BYTES_MAX) {
            // A mark that is complete but for its digits stays whole; else only its beginning may.
            size_t rest = mark != NULL ? (size_t)(end - mark) : (size_t)(end - place);
            rest = mark == NULL && rest > MARK_BYTES - 1 ? MARK_BYTES - 1 : rest;
            memcpy(tail->rest, end - rest, rest);
            tail->rest_bytes = rest;
            return found;
        }
        record(latencies, now - (strtoll(mark + MARK_BYTES, NULL, 10) - 1000000000000000000LL));
        found++;
        place = mark + REST_BYTES_MAX;
    }
}

static void open_tails(struct tail *tails, struct tail_options options, int poll) {
    for (int index = 0; index < options.connections; index++) {
        char request[512];
        int bytes = snprintf(request, sizeof request,
                             "GET /v1/logs/%s/records?last=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n",
                             options.log);
        int file = connect_to(options.port);
        char first[1024];
        // With the answer's head the stream has its place in the log.
        if (write(file, request, (size_t)bytes) != bytes || read(file, first, sizeof first) < 12 ||
            memcmp(first + 9, "200", 3) != 0) {
            fail("tail %d was not opened", index);
        }
        make_nonblocking(file);
        tails[index] = (struct tail){.file = file};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &tails[index]};
        epoll_ctl(poll, EPOLL_CTL_ADD, file, &event);
    }
}

void run_tails(struct tail_options options) {
    struct tail *tails = calloc((size_t)options.connections, sizeof *tails);
    struct histogram *latencies = calloc(1, sizeof *latencies);
    int poll = epoll_create1(0);
    open_tails(tails, options, poll);
    static struct writer writer;
    writer.options = options;
    pthread_t thread;
    pthread_create(&thread, NULL, append_steadily, &writer);
    static char buffer[REST_BYTES_MAX + (1 << 18)];
    char *bytes = buffer + REST_BYTES_MAX;
    uint64_t arrived = 0;
    int closed = 0;
    int64_t start = now_nanoseconds(), last = start;
    // What is under way when the writer has ended still comes; a second of silence is the end.
    while (!writer.is_over ||
           (arrived < writer.appended * (uint64_t)(options.connections - closed) && now_nanoseconds() - last < 1000000000)) {
        struct epoll_event events[256];
        int count = epoll_wait(poll, events, 256, 10);
        for (int index = 0; index < count; index++) {
            struct tail *tail = events[index].data.ptr;
            ssize_t size = read(tail->file, bytes, 1 << 18);
            if (size > 0) {
                arrived += arrivals(tail, bytes, (size_t)size, latencies);
                last = now_nanoseconds();
            } else if (size == 0 || errno != EAGAIN) {
                epoll_ctl(poll, EPOLL_CTL_DEL, tail->file, NULL);
                closed++;
            }
        }
    }
    pthread_join(thread, NULL);
    double seconds = (double)(last - start) / 1e9;
    printf("{\"connections\":%d,\"appended\":%llu,\"arrived\":%llu,\"closed\":%d,\"seconds\":%.3f,\"rate\":%.1f,"
           "\"p50_ns\":%lld,\"p99_ns\":%lld,\"max_ns\":%lld,\"append_p99_ns\":%lld}\n",
           options.connections, (unsigned long long)writer.appended, (unsigned long long)arrived, closed, seconds,
           (double)arrived / seconds, (long long)quantile(latencies, 0.5), (long long)quantile(latencies, 0.99),
           (long long)latencies->max, (long long)quantile(&writer.latencies, 0.99));
}
