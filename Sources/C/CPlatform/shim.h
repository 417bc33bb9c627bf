#pragma once
// System calls and compiler builtins that Swift cannot call by itself: variadics and macros only.
#include "BusError.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <dirent.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/// Sleeps while `*word == expected`; returns at once if it is not. Spurious returns are possible.
static inline void pyra_futex_wait(uint32_t *word, uint32_t expected) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

/// The same, for at most `nanoseconds`.
static inline void pyra_futex_wait_for(uint32_t *word, uint32_t expected, int64_t nanoseconds) {
    struct timespec timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &timeout, NULL, 0);
}

static inline void pyra_futex_wake(uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/// Tells the processor that this is a loop of waiting.
static inline void pyra_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline int pyra_try_lock(uint32_t *word) {
    uint32_t expected = 0;
    return __atomic_compare_exchange_n(word, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/// As a rule a lock is held for tens of nanoseconds; to sleep and be woken takes a hundred times as long.
static __attribute__((noinline, unused)) void pyra_wait_for_lock(uint32_t *word) {
    for (int tries = 0; tries < 32; tries++) {
        pyra_pause();
        if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0 && pyra_try_lock(word)) return;
    }
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0) {
        pyra_futex_wait(word, 2);
    }
}

/// A three-state futex lock (0 free, 1 held, 2 held with sleepers) after Drepper, "Futexes Are Tricky" (2011), mutex 2.
static inline void pyra_lock(uint32_t *word) {
    if (__builtin_expect(!pyra_try_lock(word), 0)) pyra_wait_for_lock(word);
}

static inline void pyra_unlock(uint32_t *word) {
    if (__builtin_expect(__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2, 0)) {
        pyra_futex_wake(word, 1);
    }
}

static inline uint32_t pyra_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void pyra_store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline uint32_t pyra_add(uint32_t *word, uint32_t value) {
    return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}
static inline void pyra_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }
/* Needs _GNU_SOURCE, which the importer does not set. */
#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif
enum { pyra_o_tmpfile = O_TMPFILE };
static inline int pyra_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
/// Both ends are closed in programs that this one starts.
static inline int pyra_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }
static inline void pyra_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
/// Of the calling thread alone, as Linux has it.
static inline int pyra_set_niceness(int niceness) { return setpriority(PRIO_PROCESS, 0, niceness); }
