/* What the disk takes for a small write with fsync, and SQLite for a batch of rows in one commit. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database.h"
#include "measure.h"

#define PATH_ROOM 4096

static void in_folder(char *path, const char *folder, const char *name)
{
    int length = snprintf(path, PATH_ROOM, "%s/%s", folder, name);

    measure_need(length > 0 && length < PATH_ROOM, "the folder's name is too long");
}

static void run_sql(sqlite3 *db, const char *sql)
{
    measure_need(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;

    measure_need(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    return statement;
}

void database_open(struct database *d, const char *folder, const char *synchronous)
{
    char path[PATH_ROOM], sql[64];

    in_folder(path, folder, synchronous);
    *d = (struct database){0};
    measure_need(sqlite3_open(path, &d->db) == SQLITE_OK, "the database does not open");
    (void)snprintf(sql, sizeof sql, "PRAGMA synchronous = %s", synchronous);
    run_sql(d->db, "PRAGMA journal_mode = WAL; PRAGMA cache_size = -1024; DROP TABLE IF EXISTS telemetry;"
                   "CREATE TABLE telemetry(seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, device INTEGER NOT "
                   "NULL, body BLOB NOT NULL)");
    run_sql(d->db, sql);
    d->begin = prepare(d->db, "BEGIN");
    d->insert = prepare(d->db, "INSERT INTO telemetry VALUES (?1, ?2, ?3, ?4)");
    d->commit = prepare(d->db, "COMMIT");
}

static void step(struct database *d, sqlite3_stmt *statement)
{
    measure_need(sqlite3_step(statement) == SQLITE_DONE && sqlite3_reset(statement) == SQLITE_OK,
                 sqlite3_errmsg(d->db));
}

void database_begin(struct database *d)
{
    step(d, d->begin);
}

void database_insert(struct database *d, int64_t device, const void *body, size_t length)
{
    d->seq++;
    measure_need(sqlite3_bind_int64(d->insert, 1, d->seq) == SQLITE_OK &&
                     sqlite3_bind_int64(d->insert, 2, d->seq) == SQLITE_OK &&
                     sqlite3_bind_int64(d->insert, 3, device) == SQLITE_OK &&
                     sqlite3_bind_blob(d->insert, 4, body, (int)length, SQLITE_STATIC) == SQLITE_OK,
                 sqlite3_errmsg(d->db));
    step(d, d->insert);
}

int64_t database_commit(struct database *d)
{
    struct measure_moment begin = measure_now();

    step(d, d->commit);
    return measure_since(begin).mono_us;
}

void database_close(struct database *d)
{
    (void)sqlite3_finalize(d->begin);
    (void)sqlite3_finalize(d->insert);
    (void)sqlite3_finalize(d->commit);
    measure_need(sqlite3_close(d->db) == SQLITE_OK, "the database does not close");
}

static void batches(const char *folder, const char *synchronous, int64_t until_us, long rows, long bytes)
{
    struct database d;
    struct measure_spread commits;
    struct measure_moment begin, passed;
    char *body = malloc((size_t)bytes);

    measure_need(body != NULL, "out of memory");
    (void)memset(body, '7', (size_t)bytes);
    spread_create(&commits);
    database_open(&d, folder, synchronous);
    begin = measure_now();
    do {
        database_begin(&d);
        for (long i = 0; i < rows; i++)
            database_insert(&d, i, body, (size_t)bytes);
        spread_add(&commits, database_commit(&d));
        passed = measure_since(begin);
    } while (passed.mono_us < until_us);
    (void)printf(
        "\"%s\":{\"rows_per_s\":%.0f,\"commits\":%zu,\"user_us_per_row\":%.2f,\"system_us_per_row\":%.2f,",
        synchronous, (double)d.seq * 1e6 / (double)passed.mono_us, commits.count,
        (double)passed.user_us / (double)d.seq, (double)passed.system_us / (double)d.seq);
    spread_print(&commits, "commit");
    (void)printf("}");
    database_close(&d);
    spread_destroy(&commits);
    free(body);
}

/* As the end of a write-ahead log does it: 4 KiB at the end, then made durable. */
static void fsyncs(const char *folder, int64_t until_us)
{
    static const char block[4096];
    char path[PATH_ROOM];
    struct measure_spread spread;
    struct measure_moment begin;
    int fd;

    in_folder(path, folder, "fsync");
    fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    measure_need(fd >= 0, "the folder takes no file");
    spread_create(&spread);
    begin = measure_now();
    do {
        struct measure_moment one = measure_now();

        measure_need(write(fd, block, sizeof block) == (ssize_t)sizeof block && fdatasync(fd) == 0,
                     "the disk does not write");
        spread_add(&spread, measure_since(one).mono_us);
    } while (measure_since(begin).mono_us < until_us);
    spread_print(&spread, "fsync");
    spread_destroy(&spread);
    (void)close(fd);
}

int floor_disk(int count, char **arguments)
{
    int64_t until_us;
    long rows, bytes;

    if (count != 4)
        return 2;
    until_us = measure_number(arguments[0], "the time is in ms") * 1000;
    rows = measure_number(arguments[2], "rows");
    bytes = measure_number(arguments[3], "bytes");
    (void)printf("{\"rows\":%ld,\"bytes\":%ld,", rows, bytes);
    fsyncs(arguments[1], until_us);
    (void)printf(",");
    batches(arguments[1], "NORMAL", until_us, rows, bytes);
    (void)printf(",");
    batches(arguments[1], "FULL", until_us, rows, bytes);
    (void)printf("}\n");
    return 0;
}
