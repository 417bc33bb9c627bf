"""Texts that try to get out of a query.

FILE stands for a file that is there, without its ending, MARK for a name that must not appear anywhere,
PORT for the server's own port; escapes as in Python are taken before they are sent.
"""

READERS = r"""
read_csv('FILE.csv')
read_csv('secret.csv')
read_csv(['FILE.csv'])
read_csv('/etc/passwd', sep = ':', header = false)
read_csv('/proc/self/environ', columns = {'line': 'VARCHAR'})
read_csv_auto('FILE.csv')
read_json('FILE.json')
read_json_auto('FILE.json')
read_json_objects('FILE.json')
read_json_objects_auto('FILE.json')
read_ndjson('FILE.json')
read_ndjson_auto('FILE.json')
read_ndjson_objects('FILE.json')
read_parquet('FILE.parquet')
parquet_scan('FILE.parquet')
parquet_metadata('FILE.parquet')
parquet_schema('FILE.parquet')
parquet_file_metadata('FILE.parquet')
parquet_kv_metadata('FILE.parquet')
parquet_bloom_probe('FILE.parquet', 'a', 1)
read_text('FILE.csv')
read_text('/proc/self/cmdline')
read_blob('FILE.csv')
read_blob('/proc/self/mem')
read_duckdb('FILE.db')
glob('*')
glob('/**')
glob('~/*')
sniff_csv('FILE.csv')
arrow_scan(1, 2, 3)
arrow_scan_dumb(1, 2, 3)
seq_scan('events')
pandas_scan(1)
python_map_function(1)
sqlite_scan('FILE.db', 't')
iceberg_scan('FILE')
delta_scan('FILE')
st_read('FILE')
read_xlsx('FILE.xlsx')
postgres_scan('host=127.0.0.1', 'public', 't')
http_get('http://127.0.0.1:1/')
read_csv('http://127.0.0.1:PORT/v1/info')
read_parquet('https://127.0.0.1:1/a.parquet')
read_parquet('s3://bucket/a.parquet')
read_text('hf://datasets/a/b.csv')
duckdb_settings()
duckdb_tables()
duckdb_functions()
duckdb_databases()
duckdb_extensions()
duckdb_secrets()
duckdb_views()
duckdb_columns()
duckdb_logs()
duckdb_memory()
duckdb_temporary_files()
duckdb_variables()
duckdb_prepared_statements()
duckdb_optimizers()
duckdb_log_contexts()
duckdb_external_file_cache()
duckdb_secret_types()
duckdb_keywords()
pragma_version()
pragma_table_info('events')
pragma_show('events')
pragma_storage_info('events')
pragma_database_size()
pragma_platform()
pragma_user_agent()
pragma_collations()
pragma_metadata_info()
pragma_last_profiling_output()
which_secret('s3://a', 's3')
test_all_types()
test_vector_types(NULL::INTEGER)
query('SELECT 1')
query('FROM ''FILE.csv''')
query_table('events')
query_table(['events', 'duckdb_settings'])
checkpoint()
force_checkpoint()
enable_logging()
enable_profiling()
summary((FROM events))
duckdb_approx_database_count()
repeat_row_of_no_such_function(1)
""".strip().splitlines()

TABLES = r"""
'/etc/passwd'
'secret.csv'
"secret.csv"
'FILE.csv'
"FILE.csv"
'FILE.json'
'FILE.parquet'
'*.csv'
'/proc/self/environ'
'~/secret.csv'
"~/secret.csv"
'file:FILE.csv'
'file://FILE.csv'
'http://127.0.0.1:PORT/v1/info.csv'
"https://127.0.0.1:1/a.parquet"
's3://bucket/a.parquet'
information_schema.tables
information_schema.columns
information_schema.schemata
pg_catalog.pg_class
pg_catalog.pg_settings
pg_class
pg_tables
pg_settings
sqlite_master
sqlite_schema
sqlite_temp_master
duckdb_settings
duckdb_tables
duckdb_views
duckdb_columns
duckdb_logs
pragma_database_list
system.main.duckdb_settings
system.information_schema.tables
temp.information_schema.tables
memory.main.events
main.duckdb_settings
"DUCKDB_SETTINGS"
""".strip().splitlines()

STATEMENTS = r"""
COPY events TO 'MARK.csv'
COPY events TO 'FILE.MARK.csv' (FORMAT csv)
COPY (SELECT 1) TO 'MARK.parquet' (FORMAT parquet)
COPY (FROM events) TO '/dev/stdout'
COPY (FROM events) TO '/proc/self/fd/1' (FORMAT csv, USE_TMP_FILE false)
COPY events FROM 'FILE.csv'
COPY FROM DATABASE memory TO temp
EXPORT DATABASE 'MARK'
IMPORT DATABASE 'MARK'
ATTACH 'MARK.db'
ATTACH ':memory:' AS MARK
ATTACH 'FILE.db' AS other (READ_ONLY)
ATTACH IF NOT EXISTS 'MARK.db' AS main2
DETACH memory
USE temp
USE system.main
INSTALL httpfs
FORCE INSTALL json FROM community
LOAD httpfs
LOAD 'FILE.duckdb_extension'
UPDATE EXTENSIONS
SET threads = 64
SET memory_limit = '100GB'
SET enable_external_access = true
SET GLOBAL lock_configuration = false
SET temp_directory = 'MARK'
SET home_directory = '/'
SET VARIABLE a = 1
SET SESSION schema = 'temp'
RESET memory_limit
RESET lock_configuration
PRAGMA enable_profiling
PRAGMA database_list
PRAGMA threads = 8
PRAGMA table_info('events')
PRAGMA profiling_output = 'MARK.json'
CALL duckdb_settings()
CALL pragma_version()
CALL log_records('events')
CALL enable_logging()
CHECKPOINT
FORCE CHECKPOINT
VACUUM
ANALYZE
CREATE TABLE MARK (a INTEGER)
CREATE TEMP TABLE MARK AS SELECT 1
CREATE OR REPLACE TABLE events AS SELECT 1
CREATE VIEW MARK AS SELECT 1
CREATE OR REPLACE TEMP VIEW events AS SELECT 1 AS a
CREATE MACRO now() AS 1
CREATE TEMP MACRO tumble(a, b) AS 1
CREATE MACRO MARK(a) AS TABLE SELECT * FROM read_csv(a)
CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')
CREATE PERSISTENT SECRET MARK (TYPE s3)
CREATE SEQUENCE MARK
CREATE TYPE MARK AS ENUM ('a')
CREATE SCHEMA MARK
CREATE INDEX MARK ON events (a)
DROP VIEW events
DROP MACRO tumble
DROP MACRO now
ALTER TABLE events ADD COLUMN b INTEGER
COMMENT ON VIEW events IS 'a'
INSERT INTO events VALUES (1)
INSERT INTO events SELECT * FROM events
UPDATE events SET a = 1
DELETE FROM events
TRUNCATE events
MERGE INTO events USING events AS other ON true WHEN MATCHED THEN DELETE
BEGIN
BEGIN TRANSACTION
COMMIT
ROLLBACK
PREPARE MARK AS SELECT 1
EXECUTE MARK
EXECUTE MARK(1)
DEALLOCATE MARK
EXPLAIN COPY events TO 'MARK.csv'
EXPLAIN ANALYZE COPY events TO 'MARK.csv'
EXPLAIN ANALYZE CREATE TABLE MARK AS SELECT 1
EXPLAIN ANALYZE INSERT INTO events VALUES (1)
EXPLAIN FROM 'FILE.csv'
EXPLAIN ANALYZE FROM read_csv('FILE.csv')
EXPLAIN (FORMAT json) FROM read_text('FILE.csv')
EXPLAIN SET threads = 3
EXPLAIN PRAGMA database_list
EXPLAIN EXPLAIN FROM 'FILE.csv'
EXPLAIN (ANALYZE) COPY events TO 'MARK.csv'
EXPLAIN /* ( */ ANALYZE /* ) */ COPY events TO 'MARK.csv'
DESCRIBE 'FILE.csv'
DESCRIBE FROM 'FILE.csv'
DESCRIBE SELECT * FROM read_csv('FILE.csv')
DESCRIBE duckdb_settings
SUMMARIZE 'FILE.csv'
SUMMARIZE FROM read_csv('FILE.csv')
SUMMARIZE duckdb_settings
SHOW ALL TABLES
SHOW DATABASES
SHOW SCHEMAS
SHOW VARIABLES
SHOW TABLES FROM system
SHOW duckdb_settings
SHOW threads
FROM (SHOW ALL TABLES)
FROM (DESCRIBE FROM 'FILE.csv')
TABLE duckdb_settings
WITH a AS (INSERT INTO events VALUES (1)) SELECT 1
FROM (INSERT INTO events VALUES (1))
FROM (COPY events TO 'MARK.csv')
PIVOT 'FILE.csv' ON column0
PIVOT (FROM read_csv('FILE.csv')) ON column0
UNPIVOT (FROM read_csv('FILE.csv')) ON COLUMNS(*) INTO NAME n VALUE v
PIVOT events ON a
SELECT 1; SELECT 2
SELECT 1; COPY events TO 'MARK.csv'
SELECT 1;; SET threads = 2
SELECT 1 /* ; */; /* ; */ CREATE TABLE MARK (a INTEGER)
SELECT 1 --;\n; ATTACH 'MARK.db'
-- SELECT 1\nSET threads = 2
/* SELECT 1 */ CHECKPOINT
SELECT 1 /* /* */ */; SET threads = 2
SHOW memory_limit
SHOW home_directory
SHOW access_mode
FROM (SHOW memory_limit)
SELECT 1\0; SET threads = 2
\0SELECT * FROM duckdb_settings()
SELECT $$a$$; SET threads = 2
SELECT $tag$ ; $tag$; ATTACH 'MARK.db'
.read FILE.csv
!ls
load_extension('FILE')
""".strip().splitlines()

EXPRESSIONS = r"""
getenv('HOME')
GETENV('PATH')
"getenv"('HOME')
system.main.getenv('HOME')
getenv(concat('HO', 'ME'))
current_setting('memory_limit')
current_setting('home_directory')
system.main.current_setting('threads')
json_execute_serialized_sql(json_serialize_sql('SELECT 1'))
json_serialize_plan('FROM duckdb_settings()')
json_serialize_plan('SELECT current_setting(''memory_limit'')', optimize := true)
json_serialize_plan(concat('FROM read_text', '(''FILE.csv'')'))
list_aggregate(['HOME'], 'getenv')
nextval('MARK')
currval('MARK')
getvariable('a')
set_config('threads', '2', false)
pg_catalog.set_config('threads', '2', false)
write_log('MARK')
load_extension('FILE')
list_transform([1], x -> getenv('HOME'))
list_transform(['HOME'], lambda x: getenv(x))
list_reduce(['a', 'b'], (x, y) -> current_setting('threads'))
[getenv(x) FOR x IN ['HOME']]
{'a': getenv('HOME')}
'HOME'.getenv()
CASE WHEN true THEN getenv('HOME') END
(SELECT content FROM read_text('FILE.csv'))
(SELECT getenv('HOME'))
EXISTS (FROM 'FILE.csv')
1 IN (SELECT column0 FROM read_csv('FILE.csv'))
ARRAY(SELECT content FROM read_text('FILE.csv'))
COLUMNS(c -> getenv('HOME') = c)
main.read_text('FILE.csv')
read_text('FILE.csv')
file_exists('FILE.csv')
pg_read_file('FILE.csv')
copy_file('FILE.csv', 'MARK')
""".strip().splitlines()

WRAPPED = r"""
SELECT * FROM (SELECT * FROM (SELECT * FROM READER))
WITH a AS (SELECT * FROM READER) SELECT * FROM a
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a, READER WHERE n < 2) FROM a
SELECT 1 UNION ALL SELECT count(*) FROM READER
SELECT 1 EXCEPT FROM READER
SELECT (SELECT count(*) FROM READER)
SELECT * FROM events, LATERAL (SELECT * FROM READER)
SELECT * FROM events WHERE a IN (FROM READER)
SELECT * FROM events JOIN READER ON true
SELECT * FROM events POSITIONAL JOIN READER
SELECT * FROM events ASOF JOIN READER r ON a >= r.filename
SELECT a FROM events ORDER BY (SELECT count(*) FROM READER)
SELECT a FROM events GROUP BY a HAVING a > (SELECT count(*) FROM READER)
SELECT a FROM events QUALIFY row_number() OVER (ORDER BY (SELECT count(*) FROM READER)) = 1
SELECT a FROM events LIMIT (SELECT count(*) FROM READER)
VALUES ((SELECT count(*) FROM READER))
FROM (VALUES ((SELECT count(*) FROM READER)))
SELECT list_transform([1], x -> (SELECT count(*) FROM READER))
SELECT * FROM unnest((SELECT list(content) FROM READER))
SELECT * FROM range((SELECT count(*) FROM READER))
SELECT sum(a) FILTER (WHERE a < (SELECT count(*) FROM READER)) FROM events
SELECT sum(a) OVER (ORDER BY (SELECT count(*) FROM READER)) FROM events
SELECT CASE WHEN false THEN (SELECT content FROM READER) END
SELECT * FROM events TABLESAMPLE 10% JOIN READER ON true
SUMMARIZE SELECT * FROM READER
DESCRIBE SELECT * FROM READER
EXPLAIN SELECT * FROM READER
EXPLAIN ANALYZE SELECT * FROM READER
PIVOT (SELECT * FROM READER) ON filename USING count(*)
PIVOT events ON a IN (SELECT content FROM READER)
UNPIVOT (SELECT * FROM READER) ON COLUMNS(*)
SELECT * REPLACE ((SELECT content FROM READER) AS a) FROM events
SELECT COLUMNS(*) FROM READER
FROM READER SELECT *
SELECT * FROM system.main.READER
SELECT * FROM main.READER
""".strip().splitlines()

# What a reader of comments that differs from DuckDB's takes for the statement is not what runs. Comments
# nest, lines end at line feeds and carriage returns only, a parenthesis in a comment closes nothing.
DISGUISED = r"""
/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE CREATE TABLE MARK AS FROM duckdb_settings()
/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE CREATE TABLE MARK AS FROM read_text('FILE.csv')
/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE COPY (SELECT 1) TO 'MARK.csv'
/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE CREATE TABLE events AS SELECT 42 AS a
/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE FROM duckdb_settings()
/* /* */ SELECT 1 -- */ FROM duckdb_settings()
EXPLAIN (ANALYZE /* ) SELECT 1 -- */ ) CREATE TABLE MARK AS SELECT 1
EXPLAIN (ANALYZE -- )SELECT 1 /*\n ) CREATE TABLE MARK AS SELECT 1 -- */
EXPLAIN /* /* */ ANALYZE SELECT 1 -- */ ANALYZE CREATE TABLE MARK AS SELECT 1
--\vEXPLAIN SELECT 1 /*\nEXPLAIN ANALYZE CREATE TABLE MARK AS SELECT 1 --*/
--\fEXPLAIN SELECT 1 /*\nEXPLAIN ANALYZE CREATE TABLE MARK AS SELECT 1 --*/
--\u2028EXPLAIN SELECT 1 /*\nEXPLAIN ANALYZE CREATE TABLE MARK AS SELECT 1 --*/
--\u0085EXPLAIN SELECT 1 /*\nEXPLAIN ANALYZE CREATE TABLE MARK AS SELECT 1 --*/
\u00a0EXPLAIN\u00a0ANALYZE\u00a0CREATE\u00a0TABLE\u00a0MARK\u00a0AS\u00a0SELECT\u00a01
\u3000EXPLAIN\u2003ANALYZE INSERT INTO events VALUES (1)
\ufeffEXPLAIN ANALYZE CREATE TABLE MARK AS SELECT 1
EXPLAIN\u200bANALYZE CREATE TABLE MARK AS SELECT 1
""".strip().splitlines()
