#pragma once
// The part of DuckDB's C API that we call, declared here: the library is found and loaded at run time, as a table of
// function pointers. Names and meanings are those of DuckDB's documentation, without the prefix `duckdb_`.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef uint64_t idx_t;
typedef enum { DUCKDB_SUCCESS = 0, DUCKDB_ERROR = 1 } duckdb_state;

typedef struct pyra_duckdb_database *duckdb_database;
typedef struct pyra_duckdb_connection *duckdb_connection;
typedef struct pyra_duckdb_config *duckdb_config;
typedef struct pyra_duckdb_statements *duckdb_extracted_statements;
typedef struct pyra_duckdb_statement *duckdb_prepared_statement;
typedef struct pyra_duckdb_pending *duckdb_pending_result;
typedef struct pyra_duckdb_type *duckdb_logical_type;
typedef struct pyra_duckdb_chunk *duckdb_data_chunk;
typedef struct pyra_duckdb_vector *duckdb_vector;
typedef struct pyra_duckdb_value *duckdb_value;
typedef struct pyra_duckdb_table_function *duckdb_table_function;
typedef struct pyra_duckdb_bind_info *duckdb_bind_info;
typedef struct pyra_duckdb_init_info *duckdb_init_info;
typedef struct pyra_duckdb_function_info *duckdb_function_info;
typedef struct pyra_duckdb_replacement_scan_info *duckdb_replacement_scan_info;
typedef struct pyra_duckdb_client_context *duckdb_client_context;
typedef struct pyra_duckdb_arrow_options *duckdb_arrow_options;
typedef struct pyra_duckdb_error_data *duckdb_error_data;

/// Passed by value; only `internal_data` has a meaning.
typedef struct {
    idx_t unused_counts[3];
    void *_Nullable unused_columns;
    char *_Nullable unused_error;
    void *_Nullable internal_data;
} duckdb_result;

typedef void (*duckdb_delete_callback)(void *_Nullable data);
typedef void (*duckdb_bind_callback)(duckdb_bind_info info);
typedef void (*duckdb_init_callback)(duckdb_init_info info);
typedef void (*duckdb_fill_callback)(duckdb_function_info info, duckdb_data_chunk output);
typedef void (*duckdb_replacement_callback)(
    duckdb_replacement_scan_info info, const char *table_name, void *_Nullable data);

#define PYRA_DUCKDB_FUNCTIONS(X) \
    X(const char *_Nonnull, library_version, (void)) \
    X(void, free, (void *_Nullable memory)) \
    X(duckdb_state, create_config, (duckdb_config _Nullable *_Nonnull config)) \
    X(duckdb_state, set_config, (duckdb_config config, const char *name, const char *value)) \
    X(void, destroy_config, (duckdb_config _Nullable *_Nonnull config)) \
    X(duckdb_state, open_ext, \
      (const char *_Nullable path, duckdb_database _Nullable *_Nonnull database, duckdb_config config, \
       char *_Nullable *_Nonnull error)) \
    X(void, close, (duckdb_database _Nullable *_Nonnull database)) \
    X(duckdb_state, connect, (duckdb_database database, duckdb_connection _Nullable *_Nonnull connection)) \
    X(void, disconnect, (duckdb_connection _Nullable *_Nonnull connection)) \
    X(void, interrupt, (duckdb_connection connection)) \
    X(void, connection_get_client_context, \
      (duckdb_connection connection, duckdb_client_context _Nullable *_Nonnull context)) \
    X(idx_t, client_context_get_connection_id, (duckdb_client_context context)) \
    X(void, destroy_client_context, (duckdb_client_context _Nullable *_Nonnull context)) \
    X(duckdb_state, query, (duckdb_connection connection, const char *text, duckdb_result *_Nonnull result)) \
    X(idx_t, extract_statements, \
      (duckdb_connection connection, const char *text, \
       duckdb_extracted_statements _Nullable *_Nonnull statements)) \
    X(const char *_Nullable, extract_statements_error, (duckdb_extracted_statements statements)) \
    X(void, destroy_extracted, (duckdb_extracted_statements _Nullable *_Nonnull statements)) \
    X(duckdb_state, prepare_extracted_statement, \
      (duckdb_connection connection, duckdb_extracted_statements statements, idx_t index, \
       duckdb_prepared_statement _Nullable *_Nonnull statement)) \
    X(duckdb_state, prepare, \
      (duckdb_connection connection, const char *text, duckdb_prepared_statement _Nullable *_Nonnull statement)) \
    X(const char *_Nullable, prepare_error, (duckdb_prepared_statement statement)) \
    X(void, destroy_prepare, (duckdb_prepared_statement _Nullable *_Nonnull statement)) \
    X(unsigned, prepared_statement_type, (duckdb_prepared_statement statement)) \
    X(idx_t, nparams, (duckdb_prepared_statement statement)) \
    X(const char *_Nullable, parameter_name, (duckdb_prepared_statement statement, idx_t index)) \
    X(duckdb_state, bind_value, (duckdb_prepared_statement statement, idx_t index, duckdb_value value)) \
    X(duckdb_state, pending_prepared_streaming, \
      (duckdb_prepared_statement statement, duckdb_pending_result _Nullable *_Nonnull pending)) \
    X(const char *_Nullable, pending_error, (duckdb_pending_result pending)) \
    X(duckdb_state, execute_pending, (duckdb_pending_result pending, duckdb_result *_Nonnull result)) \
    X(void, destroy_pending, (duckdb_pending_result _Nullable *_Nonnull pending)) \
    X(const char *_Nullable, result_error, (duckdb_result *_Nonnull result)) \
    X(void, destroy_result, (duckdb_result *_Nonnull result)) \
    X(idx_t, column_count, (duckdb_result *_Nonnull result)) \
    X(const char *_Nullable, column_name, (duckdb_result *_Nonnull result, idx_t column)) \
    X(duckdb_logical_type _Nullable, column_logical_type, (duckdb_result *_Nonnull result, idx_t column)) \
    X(duckdb_data_chunk _Nullable, fetch_chunk, (duckdb_result result)) \
    X(duckdb_logical_type _Nullable, create_logical_type, (unsigned type)) \
    X(duckdb_logical_type _Nullable, create_decimal_type, (uint8_t width, uint8_t scale)) \
    X(duckdb_logical_type _Nullable, create_list_type, (duckdb_logical_type element)) \
    X(duckdb_logical_type _Nullable, create_array_type, (duckdb_logical_type element, idx_t count)) \
    X(duckdb_logical_type _Nullable, create_map_type, (duckdb_logical_type key, duckdb_logical_type value)) \
    X(duckdb_logical_type _Nullable, create_struct_type, \
      (duckdb_logical_type _Nullable *_Nonnull members, const char *_Nullable *_Nonnull names, idx_t count)) \
    X(duckdb_logical_type _Nullable, create_union_type, \
      (duckdb_logical_type _Nullable *_Nonnull members, const char *_Nullable *_Nonnull names, idx_t count)) \
    X(duckdb_logical_type _Nullable, create_enum_type, (const char *_Nullable *_Nonnull names, idx_t count)) \
    X(void, destroy_logical_type, (duckdb_logical_type _Nullable *_Nonnull type)) \
    X(unsigned, get_type_id, (duckdb_logical_type type)) \
    X(char *_Nullable, logical_type_get_alias, (duckdb_logical_type type)) \
    X(void, logical_type_set_alias, (duckdb_logical_type type, const char *alias)) \
    X(uint8_t, decimal_width, (duckdb_logical_type type)) \
    X(uint8_t, decimal_scale, (duckdb_logical_type type)) \
    X(unsigned, decimal_internal_type, (duckdb_logical_type type)) \
    X(unsigned, enum_internal_type, (duckdb_logical_type type)) \
    X(uint32_t, enum_dictionary_size, (duckdb_logical_type type)) \
    X(char *_Nullable, enum_dictionary_value, (duckdb_logical_type type, idx_t index)) \
    X(duckdb_logical_type _Nullable, list_type_child_type, (duckdb_logical_type type)) \
    X(duckdb_logical_type _Nullable, array_type_child_type, (duckdb_logical_type type)) \
    X(idx_t, array_type_array_size, (duckdb_logical_type type)) \
    X(duckdb_logical_type _Nullable, map_type_key_type, (duckdb_logical_type type)) \
    X(duckdb_logical_type _Nullable, map_type_value_type, (duckdb_logical_type type)) \
    X(idx_t, struct_type_child_count, (duckdb_logical_type type)) \
    X(char *_Nullable, struct_type_child_name, (duckdb_logical_type type, idx_t index)) \
    X(duckdb_logical_type _Nullable, struct_type_child_type, (duckdb_logical_type type, idx_t index)) \
    X(idx_t, union_type_member_count, (duckdb_logical_type type)) \
    X(char *_Nullable, union_type_member_name, (duckdb_logical_type type, idx_t index)) \
    X(duckdb_logical_type _Nullable, union_type_member_type, (duckdb_logical_type type, idx_t index)) \
    X(idx_t, data_chunk_get_column_count, (duckdb_data_chunk chunk)) \
    X(duckdb_vector _Nonnull, data_chunk_get_vector, (duckdb_data_chunk chunk, idx_t column)) \
    X(idx_t, data_chunk_get_size, (duckdb_data_chunk chunk)) \
    X(void, data_chunk_set_size, (duckdb_data_chunk chunk, idx_t size)) \
    X(void, destroy_data_chunk, (duckdb_data_chunk _Nullable *_Nonnull chunk)) \
    X(duckdb_vector _Nonnull, create_vector, (duckdb_logical_type type, idx_t capacity)) \
    X(void, destroy_vector, (duckdb_vector _Nullable *_Nonnull vector)) \
    X(void *_Nullable, vector_get_data, (duckdb_vector vector)) \
    X(uint64_t *_Nullable, vector_get_validity, (duckdb_vector vector)) \
    X(void, vector_ensure_validity_writable, (duckdb_vector vector)) \
    X(void, vector_assign_string_element_len, \
      (duckdb_vector vector, idx_t index, const char *text, idx_t count)) \
    X(void, vector_reference_vector, (duckdb_vector to, duckdb_vector from)) \
    X(duckdb_vector _Nonnull, list_vector_get_child, (duckdb_vector vector)) \
    X(duckdb_vector _Nonnull, struct_vector_get_child, (duckdb_vector vector, idx_t index)) \
    X(duckdb_vector _Nonnull, array_vector_get_child, (duckdb_vector vector)) \
    X(duckdb_value, create_varchar_length, (const char *text, idx_t count)) \
    X(duckdb_value, create_int64, (int64_t value)) \
    X(duckdb_value, create_double, (double value)) \
    X(duckdb_value, create_bool, (bool value)) \
    X(duckdb_value, create_null_value, (void)) \
    X(char *_Nullable, get_varchar, (duckdb_value value)) \
    X(bool, is_null_value, (duckdb_value value)) \
    X(void, destroy_value, (duckdb_value _Nullable *_Nonnull value)) \
    X(duckdb_table_function, create_table_function, (void)) \
    X(void, destroy_table_function, (duckdb_table_function _Nullable *_Nonnull function)) \
    X(void, table_function_set_name, (duckdb_table_function function, const char *name)) \
    X(void, table_function_add_parameter, (duckdb_table_function function, duckdb_logical_type type)) \
    X(void, table_function_add_named_parameter, \
      (duckdb_table_function function, const char *name, duckdb_logical_type type)) \
    X(void, table_function_set_extra_info, \
      (duckdb_table_function function, void *_Nullable info, duckdb_delete_callback _Nullable destroy)) \
    X(void, table_function_set_bind, (duckdb_table_function function, duckdb_bind_callback bind)) \
    X(void, table_function_set_init, (duckdb_table_function function, duckdb_init_callback init)) \
    X(void, table_function_set_local_init, (duckdb_table_function function, duckdb_init_callback init)) \
    X(void, table_function_set_function, (duckdb_table_function function, duckdb_fill_callback fill)) \
    X(void, table_function_supports_projection_pushdown, (duckdb_table_function function, bool pushdown)) \
    X(void, table_function_get_client_context, \
      (duckdb_bind_info info, duckdb_client_context _Nullable *_Nonnull context)) \
    X(duckdb_state, register_table_function, (duckdb_connection connection, duckdb_table_function function)) \
    X(void *_Nullable, bind_get_extra_info, (duckdb_bind_info info)) \
    X(duckdb_value _Nullable, bind_get_parameter, (duckdb_bind_info info, idx_t index)) \
    X(duckdb_value _Nullable, bind_get_named_parameter, (duckdb_bind_info info, const char *name)) \
    X(void, bind_add_result_column, (duckdb_bind_info info, const char *name, duckdb_logical_type type)) \
    X(void, bind_set_bind_data, \
      (duckdb_bind_info info, void *_Nullable data, duckdb_delete_callback _Nullable destroy)) \
    X(void, bind_set_cardinality, (duckdb_bind_info info, idx_t cardinality, bool is_exact)) \
    X(void, bind_set_error, (duckdb_bind_info info, const char *error)) \
    X(void *_Nullable, init_get_bind_data, (duckdb_init_info info)) \
    X(void, init_set_init_data, \
      (duckdb_init_info info, void *_Nullable data, duckdb_delete_callback _Nullable destroy)) \
    X(idx_t, init_get_column_count, (duckdb_init_info info)) \
    X(idx_t, init_get_column_index, (duckdb_init_info info, idx_t index)) \
    X(void, init_set_max_threads, (duckdb_init_info info, idx_t threads)) \
    X(void, init_set_error, (duckdb_init_info info, const char *error)) \
    X(void *_Nullable, function_get_init_data, (duckdb_function_info info)) \
    X(void *_Nullable, function_get_local_init_data, (duckdb_function_info info)) \
    X(void, function_set_error, (duckdb_function_info info, const char *error)) \
    X(void, add_replacement_scan, \
      (duckdb_database database, duckdb_replacement_callback callback, void *_Nullable data, \
       duckdb_delete_callback _Nullable destroy)) \
    X(void, replacement_scan_set_function_name, (duckdb_replacement_scan_info info, const char *name)) \
    X(void, replacement_scan_add_parameter, (duckdb_replacement_scan_info info, duckdb_value parameter)) \
    X(void, connection_get_arrow_options, \
      (duckdb_connection connection, duckdb_arrow_options _Nullable *_Nonnull options)) \
    X(void, destroy_arrow_options, (duckdb_arrow_options _Nullable *_Nonnull options)) \
    X(duckdb_error_data _Nullable, to_arrow_schema, \
      (duckdb_arrow_options options, duckdb_logical_type _Nullable *_Nonnull types, \
       const char *_Nullable *_Nonnull names, idx_t count, void *schema)) \
    X(duckdb_error_data _Nullable, data_chunk_to_arrow, \
      (duckdb_arrow_options options, duckdb_data_chunk chunk, void *array)) \
    X(const char *_Nullable, error_data_message, (duckdb_error_data error)) \
    X(bool, error_data_has_error, (duckdb_error_data error)) \
    X(void, destroy_error_data, (duckdb_error_data _Nullable *_Nonnull error))

// Inside of a macro, pointers are not assumed to be there: only those that may be NULL are marked.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"
#define PYRA_DUCKDB_MEMBER(result, name, parameters) result (*_Nonnull name) parameters;
typedef struct {
    PYRA_DUCKDB_FUNCTIONS(PYRA_DUCKDB_MEMBER)
} pyra_duckdb_functions;
#undef PYRA_DUCKDB_MEMBER
#pragma clang diagnostic pop

/// Loads the library, with `python` (a libpython, made global) before it if the library cannot be loaded alone: the
/// shared object of the Python wheel needs its symbols. Neither is ever unloaded.
///
/// - Returns: the table, or NULL with what went wrong in `error`.
const pyra_duckdb_functions *_Nullable pyra_duckdb_load(
    const char *path, const char *python, char *error, size_t error_capacity);

/// The table that was loaded last; NULL before the first.
const pyra_duckdb_functions *_Nullable pyra_duckdb_loaded(void);

/// How much memory the process may hold, files aside, before DuckDB gets no more, how much of that is held
/// beside DuckDB, and the largest block that DuckDB gets at all: the query that asks fails. DuckDB's own
/// limit counts only part of what queries work on.
///
/// Requests of a mebibyte are judged when they are made; those of a quarter are refused from a call here that finds too much
/// until one that does not: while queries run it has to be called often.
void pyra_duckdb_bound_memory(size_t process_bytes, size_t beside_bytes, size_t block_bytes);

/// Gives back what allocators keep, if anything was refused since the last call or much of it is untouched.
/// No query should run.
void pyra_duckdb_release_memory(void);

/// What the process holds, files aside, in bytes; 0 where the system does not say.
size_t pyra_duckdb_held_memory(void);

/// What of that is not in DuckDB's large blocks and mappings. While queries run they may not have touched
/// those yet, and this is too little.
size_t pyra_duckdb_held_beside(void);

#pragma clang assume_nonnull end
