#include "CDuckDB.h"
#include "Memory.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(const pyra_duckdb_functions *) loaded;

const pyra_duckdb_functions *pyra_duckdb_loaded(void) { return atomic_load(&loaded); }

static void note(char *error, size_t capacity, const char *message) {
    snprintf(error, capacity, "%s", message ? message : "it cannot be loaded");
}

const pyra_duckdb_functions *pyra_duckdb_load(
    const char *path, const char *python, char *error, size_t error_capacity) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        note(error, error_capacity, dlerror());
        // Only the wheel's library asks for Python, and says so.
        if (strstr(error, "Py") == NULL) { return NULL; }
        if (dlopen(python, RTLD_NOW | RTLD_GLOBAL) == NULL) {
            note(error, error_capacity, dlerror());
            return NULL;
        }
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            note(error, error_capacity, dlerror());
            return NULL;
        }
    }
    if (!pyra_duckdb_watch_memory(library)) {
        note(error, error_capacity, "its memory cannot be bounded: it does not import the system's malloc, or has a C++ library of its own");
        return NULL;
    }
    pyra_duckdb_functions *functions = malloc(sizeof *functions);
    if (functions == NULL) {
        note(error, error_capacity, "no memory");
        return NULL;
    }
#define PYRA_DUCKDB_LOAD(result, name, parameters) \
    *(void **)&functions->name = dlsym(library, "duckdb_" #name); \
    if (functions->name == NULL) { \
        note(error, error_capacity, "it has no function duckdb_" #name); \
        free(functions); \
        return NULL; \
    }
    PYRA_DUCKDB_FUNCTIONS(PYRA_DUCKDB_LOAD)
    atomic_store(&loaded, functions);
    return functions;
}
