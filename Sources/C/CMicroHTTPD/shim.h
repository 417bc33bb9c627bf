#pragma once
// libmicrohttpd's variadic functions with their arguments spelled out, and the socket calls of Linux that Swift cannot
// make by itself.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct pyra_daemon_options {
    int listen_socket;
    unsigned int threads;
    unsigned int connections_max;
    size_t connection_memory_bytes;
    void *context;
    MHD_AccessHandlerCallback handler;
    void *(*target_logged)(void *context, const char *target, struct MHD_Connection *connection);
    size_t (*unescape)(void *context, struct MHD_Connection *connection, char *text);
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback notified;
    MHD_LogCallback logger;
};

static inline struct MHD_Daemon *pyra_start_daemon(const struct pyra_daemon_options *options) {
    unsigned int flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME |
                         MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, options->handler, options->context,
        // First, so that complaints about the others go to it.
        MHD_OPTION_EXTERNAL_LOGGER, options->logger, options->context,
        MHD_OPTION_LISTEN_SOCKET, options->listen_socket,
        MHD_OPTION_THREAD_POOL_SIZE, options->threads,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory_bytes,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_URI_LOG_CALLBACK, options->target_logged, options->context,
        MHD_OPTION_UNESCAPE_CALLBACK, options->unescape, options->context,
        MHD_OPTION_NOTIFY_COMPLETED, options->completed, options->context,
        MHD_OPTION_NOTIFY_CONNECTION, options->notified, options->context,
        MHD_OPTION_END);
}

static inline void *pyra_connection_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static inline int pyra_connection_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

static inline const struct sockaddr *pyra_connection_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info == NULL ? NULL : info->client_addr;
}

/// The bytes from the method to the empty line behind the fields; 0 while they are not all there.
static inline size_t pyra_head_bytes(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

/// Bytes sent but not yet acknowledged by the other side.
static inline int pyra_unacknowledged_bytes(int socket) {
    int count = 0;
    return ioctl(socket, TIOCOUTQ, &count) == 0 ? count : 0;
}

/// Bytes the other side has taken since the connection was made.
static inline uint64_t pyra_acknowledged_bytes(int socket) {
    // `tcpi_bytes_acked` of the kernel's `struct tcp_info`, which the C library's does not know.
    enum { offset = 120, length_min = 128 };
    uint8_t info[256] = {0};
    uint64_t bytes = 0;
    socklen_t length = sizeof(info);
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, info, &length) == 0 && length >= length_min) {
        memcpy(&bytes, info + offset, sizeof(bytes));
    }
    return bytes;
}

static inline int pyra_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

static inline bool pyra_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t identifier) {
    struct epoll_event event = {.events = events, .data = {.u64 = identifier}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static inline void pyra_epoll_remove(int epoll, int descriptor) {
    struct epoll_event event = {0};
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event);
}

static inline int pyra_epoll_wait(int epoll, uint64_t *identifiers, int count_max, int timeout_milliseconds) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, count_max < 64 ? count_max : 64, timeout_milliseconds);
    for (int index = 0; index < count; index++) identifiers[index] = events[index].data.u64;
    return count < 0 ? 0 : count;
}

/// As many descriptors as the system lets this process have.
static inline void pyra_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
