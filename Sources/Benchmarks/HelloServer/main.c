// A bare libmicrohttpd server: the speed limit that the HTTP rows are measured against. GET answers a fixed body of
// 100 bytes; PUT reads and drops what is sent. Usage: HelloServer PORT [THREADS]
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct MHD_Response *response;

static enum MHD_Result answer(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *body, size_t *body_size, void **context) {
    (void)self, (void)url, (void)method, (void)version, (void)body;
    // The first call announces the request; answering a GET there would end the connection.
    if (*context == NULL) {
        *context = &response;
        return MHD_YES;
    }
    if (*body_size > 0) {
        *body_size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

int main(int count, char **arguments) {
    static char hello[100];
    int port = count > 1 ? atoi(arguments[1]) : 7071;
    int threads = count > 2 ? atoi(arguments[2]) : 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(hello, 'a', sizeof hello);
    response = MHD_create_response_from_buffer(sizeof hello, hello, MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, answer, NULL,
                         MHD_OPTION_THREAD_POOL_SIZE, (unsigned int)threads, MHD_OPTION_SOCK_ADDR, &address,
                         MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "cannot listen on 127.0.0.1:%d\n", port);
        return 69;
    }
    printf("hello ready on http://127.0.0.1:%d\n", port);
    fflush(stdout);
    for (;;) {
        pause();
    }
}
