// Bounds what DuckDB takes beside what it counts itself.
#pragma once

#include <stdbool.h>

// Has the large allocations of this library, and of the C++ library under it, judged before they are made: the slots in which
// the dynamic linker keeps the functions that they import are filled anew. - Returns: false where there are none.
bool pyra_duckdb_watch_memory(void *library);
