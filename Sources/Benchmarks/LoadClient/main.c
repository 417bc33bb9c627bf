// The load client of the benchmarks: one thread, as many connections as are asked for, each of which sends its next
// request when the answer to the one before is complete, in the protocol of any of the servers that are compared.
// Usage: LoadClient NAME=VALUE… (port, protocol=http|redis|memcached|postgres, connections, seconds, count, keys, first,
// order, requests, prologue); LoadClient tails NAME=VALUE… (port, log, connections, rate, seconds). Prints one JSON object.
//
// The file of requests has them in a row, each as "WEIGHT ANSWERS BYTES\n" and so many bytes. In them twelve # become the
// number of a key, drawn anew; twelve = the one drawn before; twelve @ any number. With order=once every key number from
// `first` on to `keys` comes once, and then it is over; without, keys are drawn by chance, for some seconds or `count` requests.
// The prologue is a file of requests as well; each connection begins with all of them, before the clock starts.
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEMPLATES_MAX = 64, FIELD_BYTES = 12, READ_BYTES = 1 << 18 };

struct template {
    char *bytes;
    size_t count;
    int weight, answers;
    size_t *fields;
    size_t field_count;
    struct histogram latencies;
};

struct connection {
    int file;
    struct template *template;
    /// A copy with numbers in it; of requests without fields there is none.
    char *request;
    size_t request_capacity;
    const char *unsent;
    size_t unsent_bytes;
    bool waits_to_send;
    bool is_idle;
    int answers_due;
    int64_t start;
    struct parser parser;
};

static struct {
    int port, connections;
    double seconds;
    uint64_t keys, next;
    /// How many requests; 0: as many as there is time for.
    uint64_t count;
    bool once;
    enum protocol protocol;
    const char *requests, *prologue;
} options = {.connections = 1, .seconds = 1, .keys = 1};

static struct template templates[TEMPLATES_MAX], prologue[TEMPLATES_MAX];
static int template_count, prologue_count, weight_sum;
static uint64_t random_state = 0x9E3779B97F4A7C15;
static uint64_t sent, answers, misses, errors, reconnects;
static char first_error[200];

static uint64_t draw(void) {
    random_state += 0x9E3779B97F4A7C15;
    uint64_t value = random_state;
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
    value = (value ^ value >> 27) * 0x94D049BB133111EB;
    return value ^ value >> 31;
}

// Requests

static void find_fields(struct template *template) {
    template->fields = malloc((template->count / FIELD_BYTES + 1) * sizeof *template->fields);
    for (size_t place = 0; place + FIELD_BYTES <= template->count;) {
        char first = template->bytes[place];
        size_t run = 1;
        while (run < FIELD_BYTES && template->bytes[place + run] == first) {
            run++;
        }
        if (run == FIELD_BYTES && (first == '#' || first == '=' || first == '@')) {
            template->fields[template->field_count++] = place;
            place += FIELD_BYTES;
        } else {
            place += run == FIELD_BYTES ? 1 : run;
        }
    }
}

/// - Returns: how many there are.
static int read_requests(const char *path, struct template *templates) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail("%s: %s", path, strerror(errno));
    }
    int weight, expected, number = 0;
    size_t count;
    while (fscanf(file, "%d %d %zu", &weight, &expected, &count) == 3) {
        if (number == TEMPLATES_MAX || fgetc(file) != '\n') {
            fail("%s: more than %d requests, or none behind its sizes", path, TEMPLATES_MAX);
        }
        struct template *template = &templates[number++];
        template->bytes = malloc(count + 1);
        template->count = count;
        template->weight = weight;
        template->answers = expected;
        if (fread(template->bytes, 1, count, file) != count) {
            fail("%s ends within a request", path);
        }
        find_fields(template);
    }
    fclose(file);
    if (number == 0) {
        fail("%s has no request", path);
    }
    return number;
}

static struct template *choose(void) {
    if (template_count == 1) {
        return templates;
    }
    int place = (int)(draw() % (uint64_t)weight_sum);
    struct template *template = templates;
    while (place >= template->weight) {
        place -= template->weight;
        template++;
    }
    return template;
}

static void write_number(char *place, uint64_t number) {
    for (int digit = FIELD_BYTES - 1; digit >= 0; digit--) {
        place[digit] = (char)('0' + number % 10);
        number /= 10;
    }
}

static const char *fill_in(struct connection *connection) {
    struct template *template = connection->template;
    if (template->field_count == 0) {
        return template->bytes;
    }
    if (connection->request_capacity < template->count) {
        connection->request = realloc(connection->request, template->count);
        connection->request_capacity = template->count;
    }
    memcpy(connection->request, template->bytes, template->count);
    uint64_t key = 0;
    for (size_t index = 0; index < template->field_count; index++) {
        char *place = connection->request + template->fields[index];
        if (*place == '#') {
            // A last request with more keys than are left begins again with the first of them.
            key = options.once ? options.next++ % options.keys : draw() % options.keys;
            write_number(place, key);
        } else {
            write_number(place, *place == '=' ? key : draw() % 1000000000);
        }
    }
    return connection->request;
}

// Connections

static void watch(int poll, struct connection *connection, int operation) {
    struct epoll_event event = {.events = EPOLLIN | (connection->waits_to_send ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(poll, operation, connection->file, &event);
}

static void say_prologue(struct connection *connection) {
    struct parser *parser = &connection->parser;
    for (struct template *part = prologue; part < prologue + prologue_count; part++) {
        char bytes[4096];
        ssize_t count = write(connection->file, part->bytes, part->count);
        while (count > 0 && parser->answers < part->answers && parser->errors == 0) {
            count = read(connection->file, bytes, sizeof bytes);
            take(parser, bytes, count > 0 ? (size_t)count : 0);
        }
        if (parser->errors > 0 || count <= 0) {
            fail("a connection was not begun: %s", parser->error);
        }
        parser->answers = 0;
    }
}

static void open_connection(int poll, struct connection *connection) {
    connection->file = connect_to(options.port);
    connection->waits_to_send = false;
    begin(&connection->parser, options.protocol);
    say_prologue(connection);
    make_nonblocking(connection->file);
    watch(poll, connection, EPOLL_CTL_ADD);
}

static void send_rest(int poll, struct connection *connection) {
    while (connection->unsent_bytes > 0) {
        ssize_t count = send(connection->file, connection->unsent, connection->unsent_bytes, MSG_NOSIGNAL);
        if (count < 0) {
            // A connection that is gone is found out by reading.
            break;
        }
        connection->unsent += count;
        connection->unsent_bytes -= (size_t)count;
    }
    bool waits = connection->unsent_bytes > 0;
    if (waits != connection->waits_to_send) {
        connection->waits_to_send = waits;
        watch(poll, connection, EPOLL_CTL_MOD);
    }
}

static bool is_all_sent(void) {
    return (options.once && options.next >= options.keys) || (options.count > 0 && sent >= options.count);
}

static void send_next(int poll, struct connection *connection) {
    connection->is_idle = is_all_sent();
    if (connection->is_idle) {
        return;
    }
    sent++;
    connection->template = choose();
    connection->unsent = fill_in(connection);
    connection->unsent_bytes = connection->template->count;
    connection->answers_due = connection->template->answers;
    connection->start = now_nanoseconds();
    send_rest(poll, connection);
}

static void reopen(int poll, struct connection *connection) {
    close(connection->file);
    if (++reconnects > 1000) {
        fail("the server closes connections");
    }
    open_connection(poll, connection);
    send_next(poll, connection);
}

static void receive(int poll, struct connection *connection) {
    static char bytes[READ_BYTES];
    ssize_t count = read(connection->file, bytes, READ_BYTES);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
        reopen(poll, connection);
        return;
    }
    if (count < 0) {
        return;
    }
    struct parser *parser = &connection->parser;
    take(parser, bytes, (size_t)count);
    connection->answers_due -= parser->answers;
    answers += (uint64_t)parser->answers;
    misses += (uint64_t)parser->misses;
    errors += (uint64_t)parser->errors;
    if (parser->errors > 0 && first_error[0] == 0) {
        memcpy(first_error, parser->error, sizeof first_error);
    }
    parser->answers = parser->misses = parser->errors = 0;
    if (connection->answers_due <= 0) {
        record(&connection->template->latencies, now_nanoseconds() - connection->start);
        send_next(poll, connection);
    }
}

static double run(void) {
    int poll = epoll_create1(0);
    struct connection *connections = calloc((size_t)options.connections, sizeof *connections);
    for (int index = 0; index < options.connections; index++) {
        open_connection(poll, &connections[index]);
    }
    int64_t start = now_nanoseconds(), end = start + (int64_t)(options.seconds * 1e9);
    for (int index = 0; index < options.connections; index++) {
        send_next(poll, &connections[index]);
    }
    while (true) {
        struct epoll_event events[256];
        int count = epoll_wait(poll, events, 256, 100);
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            if (events[index].events & EPOLLOUT) {
                send_rest(poll, connection);
            }
            if (events[index].events & ~(uint32_t)EPOLLOUT) {
                receive(poll, connection);
            }
        }
        if (is_all_sent()) {
            bool is_over = true;
            for (int index = 0; index < options.connections; index++) {
                is_over = is_over && connections[index].is_idle;
            }
            if (is_over) {
                break;
            }
        }
        if (!options.once && options.count == 0 && now_nanoseconds() >= end) {
            break;
        }
    }
    return (double)(now_nanoseconds() - start) / 1e9;
}

// Words

static void print_latencies(const struct histogram *latencies) {
    printf("\"requests\":%llu,\"p50_ns\":%lld,\"p99_ns\":%lld,\"max_ns\":%lld", (unsigned long long)latencies->count,
           (long long)quantile(latencies, 0.5), (long long)quantile(latencies, 0.99), (long long)latencies->max);
}

static void print_result(double seconds) {
    static struct histogram all;
    for (int index = 0; index < template_count; index++) {
        struct histogram *latencies = &templates[index].latencies;
        all.count += latencies->count;
        all.max = latencies->max > all.max ? latencies->max : all.max;
        for (size_t bucket = 0; bucket < POWERS * BUCKETS_PER_POWER; bucket++) {
            all.buckets[bucket] += latencies->buckets[bucket];
        }
    }
    printf("{\"seconds\":%.6f,\"answers\":%llu,\"misses\":%llu,\"errors\":%llu,\"reconnects\":%llu,\"error\":\"", seconds,
           (unsigned long long)answers, (unsigned long long)misses, (unsigned long long)errors,
           (unsigned long long)reconnects);
    for (const char *byte = first_error; *byte != 0; byte++) {
        putchar(*byte == '"' || *byte == '\\' || *byte < ' ' ? '\'' : *byte);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double busy = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("\",\"client_busy\":%.2f,", busy / seconds);
    print_latencies(&all);
    printf(",\"by_request\":[");
    for (int index = 0; index < template_count; index++) {
        printf("%s{", index > 0 ? "," : "");
        print_latencies(&templates[index].latencies);
        printf("}");
    }
    printf("]}\n");
}

static const char *value_of(const char *argument, const char *name) {
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1 : NULL;
}

static enum protocol protocol_named(const char *name) {
    static const char *const names[] = {"http", "redis", "memcached", "postgres"};
    for (int protocol = HTTP; protocol <= POSTGRES; protocol++) {
        if (strcmp(name, names[protocol]) == 0) {
            return (enum protocol)protocol;
        }
    }
    fail("there is no protocol %s", name);
}

static void read_option(const char *argument, struct tail_options *tails) {
    const char *value;
    if ((value = value_of(argument, "port"))) {
        options.port = tails->port = atoi(value);
    } else if ((value = value_of(argument, "connections"))) {
        options.connections = tails->connections = atoi(value);
    } else if ((value = value_of(argument, "seconds"))) {
        options.seconds = tails->seconds = atof(value);
    } else if ((value = value_of(argument, "keys"))) {
        options.keys = strtoull(value, NULL, 10);
    } else if ((value = value_of(argument, "count"))) {
        options.count = strtoull(value, NULL, 10);
    } else if ((value = value_of(argument, "first"))) {
        options.next = strtoull(value, NULL, 10);
    } else if ((value = value_of(argument, "order"))) {
        options.once = strcmp(value, "once") == 0;
    } else if ((value = value_of(argument, "requests"))) {
        options.requests = value;
    } else if ((value = value_of(argument, "prologue"))) {
        options.prologue = value;
    } else if ((value = value_of(argument, "log"))) {
        tails->log = value;
    } else if ((value = value_of(argument, "rate"))) {
        tails->rate = atof(value);
    } else if ((value = value_of(argument, "protocol"))) {
        options.protocol = protocol_named(value);
    } else {
        fail("what is %s?", argument);
    }
}

int main(int count, char **arguments) {
    struct tail_options tails = {.connections = 1, .rate = 100, .seconds = 1};
    bool is_tails = count > 1 && strcmp(arguments[1], "tails") == 0;
    for (int index = is_tails ? 2 : 1; index < count; index++) {
        read_option(arguments[index], &tails);
    }
    if (options.port == 0 || (is_tails ? tails.log == NULL : options.requests == NULL) || options.keys == 0) {
        fail("usage: LoadClient [tails] port=PORT …; see the beginning of its source");
    }
    if (is_tails) {
        run_tails(tails);
    } else {
        template_count = read_requests(options.requests, templates);
        prologue_count = options.prologue != NULL ? read_requests(options.prologue, prologue) : 0;
        for (int index = 0; index < template_count; index++) {
            weight_sum += templates[index].weight;
        }
        print_result(run());
    }
    return 0;
}
