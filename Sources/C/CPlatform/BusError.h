#pragma once
// What happens when a page of a mapped file cannot be had: the disk does not give it, or the file is shorter than it was.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static inline void pyra_write_text(const char *text, size_t count) {
    while (count > 0) {
        ssize_t written = write(STDERR_FILENO, text, count);
        if (written < 0 && errno == EINTR) { continue; }
        if (written <= 0) { return; }
        text += written;
        count -= (size_t)written;
    }
}

/// A hexadecimal number and the byte behind it, which is passed over.
static inline uintptr_t pyra_hexadecimal(const char **text) {
    uintptr_t value = 0;
    for (; **text; (*text)++) {
        char digit = **text;
        int amount = digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
        if (amount < 0) { break; }
        value = value * 16 + (uintptr_t)amount;
    }
    if (**text) { (*text)++; }
    return value;
}

/// Names the file that lies at `address`, from a line of `/proc/self/maps`: `start-end perms offset device inode path`.
static inline int pyra_name_mapping(const char *line, uintptr_t address) {
    const char *rest = line;
    uintptr_t start = pyra_hexadecimal(&rest), end = pyra_hexadecimal(&rest);
    const char *path = strchr(line, '/');
    if (address < start || address >= end || path == NULL) { return 0; }
    while (*rest && *rest != ' ') { rest++; }
    if (*rest) { rest++; }
    uintptr_t place = pyra_hexadecimal(&rest) + (address - start);
    char digits[24];
    size_t first = sizeof digits;
    do { digits[--first] = (char)('0' + place % 10); } while ((place /= 10) > 0);
    static const char begin[] = "pyralog: ", middle[] = ", at byte ", end_text[] =
        ": the system cannot read this page of the file; a disk error, or the file was made shorter\n";
    pyra_write_text(begin, sizeof begin - 1);
    pyra_write_text(path, strlen(path));
    pyra_write_text(middle, sizeof middle - 1);
    pyra_write_text(digits + first, sizeof digits - first);
    pyra_write_text(end_text, sizeof end_text - 1);
    return 1;
}

/// Only what is safe in a signal handler.
static inline void pyra_on_bus_error(int number, siginfo_t *information, void *context) {
    (void)context;
    char text[8192];
    size_t held = 0;
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    ssize_t count;
    while (maps >= 0 && (count = read(maps, text + held, sizeof text - 1 - held)) > 0) {
        held += (size_t)count;
        char *line = text, *end;
        while ((end = memchr(line, '\n', (size_t)(text + held - line))) != NULL) {
            *end = 0;
            if (pyra_name_mapping(line, (uintptr_t)information->si_addr)) { _exit(EX_IOERR); }
            line = end + 1;
        }
        held = (size_t)(text + held - line);
        memmove(text, line, held);
        // No line is as long: one that seems to be is passed over.
        if (held == sizeof text - 1) { held = 0; }
    }
    // No file of ours: what would have happened happens.
    signal(number, SIG_DFL);
    raise(number);
}

/// Ends the process with EX_IOERR (74), and the name of the file on standard error, instead of by the signal.
static inline int pyra_exit_on_bus_error(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = pyra_on_bus_error;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGBUS, &action, NULL);
}
