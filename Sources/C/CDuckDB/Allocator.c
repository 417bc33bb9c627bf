// DuckDB allocates through a jemalloc of its own, built in with a prefix. Its extent hooks are where it gets memory from
// the system: the one place to count all of it, lists and texts in vectors included, and to refuse more than a limit.
// DuckDB turns a refusal into an error of the query. See jemalloc(3), "arena.<i>.extent_hooks".
#include "CDuckDB.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

typedef struct hooks hooks;
struct hooks {
    void *(*alloc)(hooks *, void *, size_t, size_t, bool *, bool *, unsigned);
    bool (*dalloc)(hooks *, void *, size_t, bool, unsigned);
    void (*destroy)(hooks *, void *, size_t, bool, unsigned);
    bool (*commit)(hooks *, void *, size_t, size_t, size_t, unsigned);
    bool (*decommit)(hooks *, void *, size_t, size_t, size_t, unsigned);
    bool (*purge_lazy)(hooks *, void *, size_t, size_t, size_t, unsigned);
    bool (*purge_forced)(hooks *, void *, size_t, size_t, size_t, unsigned);
    bool (*split)(hooks *, void *, size_t, size_t, size_t, bool, unsigned);
    bool (*merge)(hooks *, void *, size_t, void *, size_t, bool, unsigned);
};

typedef int control(const char *, void *, size_t *, void *, size_t);

static control *call;
static hooks *original;
static hooks counting;
/// Below 0 while less is given back than was taken before anything was counted.
static atomic_llong allocated;
static atomic_llong limit;

static void *count_alloc(
    hooks *self, void *address, size_t size, size_t alignment, bool *zero, bool *commit, unsigned arena) {
    (void)self;
    long long bytes = (long long)size;
    if (atomic_fetch_add(&allocated, bytes) + bytes > atomic_load(&limit)) {
        atomic_fetch_sub(&allocated, bytes);
        return NULL;
    }
    void *memory = original->alloc(original, address, size, alignment, zero, commit, arena);
    if (memory == NULL) { atomic_fetch_sub(&allocated, bytes); }
    return memory;
}

/// The original would keep the addresses for later: they would count for ever, in pieces that fit nobody.
static bool count_dalloc(hooks *self, void *address, size_t size, bool committed, unsigned arena) {
    (void)self, (void)committed, (void)arena;
    if (munmap(address, size) != 0) { return true; }
    atomic_fetch_sub(&allocated, (long long)size);
    return false;
}

static void count_destroy(hooks *self, void *address, size_t size, bool committed, unsigned arena) {
    count_dalloc(self, address, size, committed, arena);
}

bool pyra_duckdb_bound_memory(const char *path, size_t bytes) {
    if ((long long)bytes > atomic_load(&limit)) { atomic_store(&limit, (long long)bytes); }
    if (call != NULL) { return true; }
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (library == NULL) { return false; }
    control *found = (control *)dlsym(library, "duckdb_je_mallctl");
    void *(*allocate)(size_t) = (void *(*)(size_t))dlsym(library, "duckdb_je_malloc");
    void (*release)(void *) = (void (*)(void *))dlsym(library, "duckdb_je_free");
    if (found == NULL || allocate == NULL || release == NULL) { return false; }
    // Large pieces have an arena of their own, which is made for the first one.
    release(allocate((size_t)1 << 30));
    unsigned count = 0;
    size_t size = sizeof count;
    if (found("arenas.narenas", &count, &size, NULL, 0) != 0 || count == 0) { return false; }
    size = sizeof original;
    if (found("arena.0.extent_hooks", &original, &size, NULL, 0) != 0 || original == NULL) { return false; }
    counting = *original;
    counting.alloc = count_alloc;
    counting.dalloc = count_dalloc;
    counting.destroy = count_destroy;
    for (unsigned index = 0; index < count; index++) {
        char name[64];
        snprintf(name, sizeof name, "arena.%u.extent_hooks", index);
        hooks *replacement = &counting;
        // Those of threads to come are made by this.
        (void)found(name, NULL, NULL, &replacement, sizeof replacement);
    }
    call = found;
    return true;
}

size_t pyra_duckdb_allocated(void) {
    long long bytes = atomic_load(&allocated);
    return bytes > 0 ? (size_t)bytes : 0;
}

void pyra_duckdb_purge(void) {
    // 4096: all arenas.
    if (call != NULL) { (void)call("arena.4096.purge", NULL, NULL, NULL, 0); }
}
