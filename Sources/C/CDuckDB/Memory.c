#define _GNU_SOURCE
#include "Memory.h"
#include "CDuckDB.h"
#include "SmallMappings.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    // From here on a request is judged for itself: what is held now, and so much more.
    large_bytes = 1 << 20,
    // Below nothing is refused. DuckDB's C functions and what tells of an error allocate where nobody catches a failure; all of
    // that is smaller, the longest text of a statement included. What grows without an end comes here sooner or later.
    medium_bytes = 256 << 10,
    // So much more may be promised than held when nothing runs.
    idle_bytes = 64 << 20,
};

static atomic_size_t limit = SIZE_MAX;
static atomic_size_t allocated_limit = SIZE_MAX;
static atomic_size_t block_limit = SIZE_MAX;
static atomic_bool exhausted;
// In large blocks and in all mappings, whether touched yet or not: promised.
static atomic_size_t allocated;
static atomic_bool has_refused;
static atomic_int statm = -1;
// `mallctl` of an allocator that the library brings along, which keeps what was freed for a while (jemalloc(3)).
static int (*purge)(const char *, void *, size_t *, void *, size_t);

size_t pyra_duckdb_held_memory(void) {
    char line[128];
    ssize_t count = pread(atomic_load_explicit(&statm, memory_order_relaxed), line, sizeof line - 1, 0);
    if (count <= 0) { return 0; }
    line[count] = 0;
    size_t resident = 0, in_files = 0;
    if (sscanf(line, "%*u %zu %zu", &resident, &in_files) != 2 || resident < in_files) { return 0; }
    return (resident - in_files) * (size_t)sysconf(_SC_PAGESIZE);
}

size_t pyra_duckdb_held_beside(void) {
    size_t held = pyra_duckdb_held_memory(), promised = atomic_load(&allocated);
    return held > promised ? held - promised : 0;
}

void pyra_duckdb_bound_memory(size_t process_bytes, size_t beside_bytes, size_t block_bytes) {
    atomic_store(&limit, process_bytes);
    atomic_store(&allocated_limit, process_bytes > beside_bytes ? process_bytes - beside_bytes : 0);
    atomic_store(&block_limit, block_bytes);
    atomic_store(&exhausted, pyra_duckdb_held_memory() > process_bytes);
}

// What was allocated before anything was counted is freed here too: never below zero.
static void give_back(size_t bytes) {
    if (bytes == 0) { return; }
    size_t before = atomic_load(&allocated);
    while (!atomic_compare_exchange_weak(&allocated, &before, before > bytes ? before - bytes : 0)) { }
}

// Before it is allocated, so that two threads are not promised the same bytes.
static bool promise(size_t bytes) {
    size_t most = atomic_load_explicit(&allocated_limit, memory_order_relaxed);
    size_t before = atomic_load(&allocated);
    do {
        if (most != SIZE_MAX && (bytes > most || before > most - bytes)) { return false; }
    } while (!atomic_compare_exchange_weak(&allocated, &before, before + bytes));
    return true;
}

// What is promised may not be touched yet, and then is not held; what is held may not have come through here.
static bool is_held_too_much(size_t bytes) {
    if (bytes < large_bytes) { return atomic_load_explicit(&exhausted, memory_order_relaxed); }
    size_t most = atomic_load_explicit(&limit, memory_order_relaxed);
    if (most == SIZE_MAX) { return false; }
    return bytes > most || pyra_duckdb_held_memory() > most - bytes;
}

// - Returns: whether it may be allocated; then so much is promised.
static bool reserves(size_t bytes) {
    bool is_promised = bytes <= atomic_load_explicit(&block_limit, memory_order_relaxed) && promise(bytes);
    if (is_promised && !is_held_too_much(bytes)) { return true; }
    if (is_promised) { give_back(bytes); }
    atomic_store(&has_refused, true);
    return false;
}

void pyra_duckdb_release_memory(void) {
    bool was_short = atomic_exchange(&has_refused, false);
    // What was freed untouched is kept as well and stays promised: nothing is asked when it is used again.
    bool is_promised_idly = atomic_load(&allocated) > pyra_duckdb_held_memory() + idle_bytes;
    if (purge != NULL && (was_short || is_promised_idly)) { purge("arena.4096.purge", NULL, NULL, NULL, 0); }
    if (was_short) { malloc_trim(0); }
}

// MARK: In place of what the libraries import

static void *refusal(void) {
    errno = ENOMEM;
    return NULL;
}

static size_t counted_bytes(void *start) {
    size_t bytes = start == NULL ? 0 : malloc_usable_size(start);
    return bytes >= large_bytes ? bytes : 0;
}

static bool refuses(size_t bytes) {
    if (bytes >= large_bytes) { return !reserves(bytes); }
    if (bytes < medium_bytes || !is_held_too_much(bytes)) { return false; }
    atomic_store(&has_refused, true);
    return true;
}

// What was asked for is promised already; the block may be larger, or not be there.
static void *settled(void *start, size_t asked) {
    size_t promised = asked >= large_bytes ? asked : 0, bytes = counted_bytes(start);
    if (bytes > promised) { atomic_fetch_add(&allocated, bytes - promised); }
    if (bytes < promised) { give_back(promised - bytes); }
    return start;
}

static void *bounded_malloc(size_t bytes) {
    return refuses(bytes) ? refusal() : settled(malloc(bytes), bytes);
}

static void *bounded_calloc(size_t count, size_t bytes) {
    size_t all = 0;
    if (__builtin_mul_overflow(count, bytes, &all)) { return refusal(); }
    return refuses(all) ? refusal() : settled(calloc(count, bytes), all);
}

static void *bounded_aligned_alloc(size_t alignment, size_t bytes) {
    return refuses(bytes) ? refusal() : settled(aligned_alloc(alignment, bytes), bytes);
}

static void *bounded_realloc(void *start, size_t bytes) {
    size_t before = counted_bytes(start);
    // The old block goes: only what comes in addition is judged.
    size_t added = bytes > before ? bytes - before : 0;
    if (refuses(added)) { return refusal(); }
    void *moved = realloc(start, bytes);
    if (moved != NULL || bytes == 0) { give_back(before); }
    return settled(moved, added);
}

static void counted_free(void *start) {
    give_back(counted_bytes(start));
    free(start);
}

// Columns of logs are many small blocks, read one after the other: far faster where one huge page has them side by side.
static bool is_small(void *address, size_t bytes, int protection, int flags) {
    int other_flags = flags & ~(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    return address == NULL && bytes < medium_bytes && bytes % (size_t)sysconf(_SC_PAGESIZE) == 0
        && protection == (PROT_READ | PROT_WRITE) && (flags & MAP_ANONYMOUS) != 0 && other_flags == 0;
}

static void *bounded_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    // A fixed one lies in one that is counted.
    if ((flags & MAP_FIXED) != 0) { return mmap(address, bytes, protection, flags, file, offset); }
    // All are counted, as all are unmapped below: small ones come in numbers, and files hardly ever.
    if (bytes < medium_bytes || (flags & MAP_ANONYMOUS) == 0) {
        atomic_fetch_add(&allocated, bytes);
    } else if (!reserves(bytes)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *start = is_small(address, bytes, protection, flags) ? pyra_duckdb_map_small(bytes) : NULL;
    if (start == NULL) { start = mmap(address, bytes, protection, flags, file, offset); }
    if (start == MAP_FAILED) { give_back(bytes); }
    return start;
}

static int counted_munmap(void *start, size_t bytes) {
    int result = munmap(start, bytes);
    if (result == 0) { give_back(bytes); }
    return result;
}

// Where an allocator turns when it gets no mapping.
static void *bounded_sbrk(intptr_t bytes) {
    // It is kept for ever, and counted so.
    if (bytes > 0 && !reserves((size_t)bytes)) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return sbrk(bytes);
}

static const struct {
    const char *name;
    void *function;
} replacements[] = {
    {"malloc", (void *)bounded_malloc},
    {"calloc", (void *)bounded_calloc},
    {"realloc", (void *)bounded_realloc},
    {"aligned_alloc", (void *)bounded_aligned_alloc},
    {"free", (void *)counted_free},
    {"mmap", (void *)bounded_mmap},
    {"munmap", (void *)counted_munmap},
    {"sbrk", (void *)bounded_sbrk},
};
enum { replacement_count = sizeof replacements / sizeof *replacements };

// MARK: The slots of the library

static int replacement(const char *name) {
    for (int index = 0; index < replacement_count; index++) {
        if (strcmp(name, replacements[index].name) == 0) { return index; }
    }
    return -1;
}

// A slot that holds the address of a function of another library, and nothing else.
static bool is_import(ElfW(Xword) info) {
#if defined(__x86_64__)
    return ELF64_R_TYPE(info) == R_X86_64_JUMP_SLOT || ELF64_R_TYPE(info) == R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
    return ELF64_R_TYPE(info) == R_AARCH64_JUMP_SLOT || ELF64_R_TYPE(info) == R_AARCH64_GLOB_DAT;
#else
    return false;
#endif
}

// It may have been made read-only once it was filled.
static bool fill(void **slot, void *function) {
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *page = (void *)((uintptr_t)slot & ~(page_bytes - 1));
    if (mprotect(page, page_bytes, PROT_READ | PROT_WRITE) != 0) { return false; }
    __atomic_store_n(slot, function, __ATOMIC_RELEASE);
    return true;
}

static int replace_in(
    const struct link_map *map, const ElfW(Sym) *symbols, const char *names, const ElfW(Rela) *entries, size_t bytes) {
    int count = 0;
    for (size_t position = 0; entries != NULL && position < bytes / sizeof *entries; position++) {
        if (!is_import(entries[position].r_info)) { continue; }
        int index = replacement(names + symbols[ELF64_R_SYM(entries[position].r_info)].st_name);
        if (index < 0) { continue; }
        if (fill((void **)(map->l_addr + entries[position].r_offset), replacements[index].function)) { count++; }
    }
    return count;
}

static bool watch(void *library) {
    struct link_map *map = NULL;
    if (library == NULL || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) { return false; }
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    const ElfW(Rela) *functions = NULL, *others = NULL;
    size_t functions_bytes = 0, others_bytes = 0;
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB: symbols = (const void *)entry->d_un.d_ptr; break;
        case DT_STRTAB: names = (const void *)entry->d_un.d_ptr; break;
        case DT_JMPREL: functions = (const void *)entry->d_un.d_ptr; break;
        case DT_PLTRELSZ: functions_bytes = entry->d_un.d_val; break;
        case DT_RELA: others = (const void *)entry->d_un.d_ptr; break;
        case DT_RELASZ: others_bytes = entry->d_un.d_val; break;
        }
    }
    if (symbols == NULL || names == NULL) { return false; }
    int count = replace_in(map, symbols, names, functions, functions_bytes);
    return replace_in(map, symbols, names, others, others_bytes) + count > 0;
}

bool pyra_duckdb_watch_memory(void *library) {
    if (atomic_load(&statm) < 0) { atomic_store(&statm, open("/proc/self/statm", O_RDONLY | O_CLOEXEC)); }
    *(void **)&purge = dlsym(library, "duckdb_je_mallctl");
    // Else each arena keeps the addresses of what it gives back, and nothing is asked when it uses them
    // again.
    bool *retains = dlsym(library, "duckdb_je_opt_retain");
    if (retains != NULL) { *retains = false; }
    // Its strings and whatever else it makes with `new`: that is where those allocate.
    bool watches_new = watch(dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD));
    return watch(library) && watches_new;
}
