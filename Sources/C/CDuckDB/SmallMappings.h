#pragma once
#include <stddef.h>

/// Fresh memory to read and write, side by side with what was handed out before, in huge pages where the system has
/// them. Any part of it is unmapped as that of another mapping. NULL: there is none.
void *pyra_duckdb_map_small(size_t bytes);
