// Clock, sockets, latencies.
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t now_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "LoadClient: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

int connect_to(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    if (file < 0 || connect(file, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("no connection to port %d: %s", port, strerror(errno));
    }
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return file;
}

void make_nonblocking(int file) { fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK); }

void record(struct histogram *histogram, int64_t nanoseconds) {
    uint64_t value = nanoseconds > 0 ? (uint64_t)nanoseconds : 1;
    histogram->count++;
    if (nanoseconds > histogram->max) {
        histogram->max = nanoseconds;
    }
    int power = 63 - __builtin_clzll(value);
    int shift = power > 6 ? power - 6 : 0;
    // Below 64 ns each value has a bucket of its own; above, the six bits behind the leading one name it.
    size_t bucket = power > 6 ? (size_t)shift * BUCKETS_PER_POWER + (value >> shift) : value;
    size_t last = POWERS * BUCKETS_PER_POWER - 1;
    histogram->buckets[bucket < last ? bucket : last]++;
}

int64_t quantile(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)((double)histogram->count * share);
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < POWERS * BUCKETS_PER_POWER; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen > wanted) {
            if (bucket < 2 * BUCKETS_PER_POWER) {
                return (int64_t)bucket;
            }
            size_t shift = bucket / BUCKETS_PER_POWER - 1;
            return (int64_t)((bucket - shift * BUCKETS_PER_POWER) << shift);
        }
    }
    return histogram->max;
}
