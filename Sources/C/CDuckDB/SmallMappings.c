#define _GNU_SOURCE
#include "SmallMappings.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

enum {
    huge_bytes = 2 << 20,
    // Of addresses, each handed out once. Only what lies in a huge page that was begun is there before it is handed out.
    region_bytes = 16 * huge_bytes,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
// What is left of the region that is being handed out.
static char *next, *end;

static int begin_region(void) {
    char *start = mmap(NULL, region_bytes + huge_bytes, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) { return 0; }
    char *aligned = (char *)(((uintptr_t)start + huge_bytes - 1) & ~(uintptr_t)(huge_bytes - 1));
    if (aligned > start) { munmap(start, (size_t)(aligned - start)); }
    munmap(aligned + region_bytes, (size_t)(start + huge_bytes - aligned));
    // Where that is not possible they are pages like others.
    madvise(aligned, region_bytes, MADV_HUGEPAGE);
    // Too little for what is asked for now, and nothing that was counted.
    if (next < end) { munmap(next, (size_t)(end - next)); }
    next = aligned;
    end = aligned + region_bytes;
    return 1;
}

void *pyra_duckdb_map_small(size_t bytes) {
    void *start = NULL;
    pthread_mutex_lock(&lock);
    if (bytes <= (size_t)(end - next) || (bytes <= region_bytes && begin_region())) {
        start = next;
        next += bytes;
    }
    pthread_mutex_unlock(&lock);
    return start;
}
