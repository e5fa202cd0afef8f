/* Small words over SQLite. Functions that return int give SQLite's extended result codes: SQLITE_OK or what went
 * wrong. */
#ifndef RG_STORE_DB_H
#define RG_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/error.h"

#define DB_BUSY_MS 5000 /* how long a statement waits for a lock that somebody outside holds */

enum db_role {
    DB_WRITER, /* makes the file when it is not there */
    DB_READER, /* refuses to write */
    DB_SURVIVOR, /* while nobody else has it open, in this process neither: reads from a disk that takes nothing at all */
    DB_AUDITOR, /* leaves no trace, not even a log copied back; a copy on a medium that takes no files can be read too */
};

/* Opens one connection for one thread at a time. *out is to be closed with db_close, on an error too (it then has the
 * words); NULL when there was no memory for it. */
/* vfs: the file system's name in SQLite, NULL: the default. */
int db_connect(const char *path, enum db_role role, const char *vfs, sqlite3 **out);
/* The log stays as it is when this connection closes, though it be the last one: for one that is not to change the file, or
 * whose file has moved. */
void db_leave_log(sqlite3 *db);
void db_close(sqlite3 *db); /* takes NULL; every statement must have been finalized */

int db_exec(sqlite3 *db, const char *sql);
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out);
/* Prepares count statements; what was prepared is to be finalized by db_finalize_all, on an error too. */
int db_prepare_all(sqlite3 *db, const char *const *sql, size_t count, sqlite3_stmt **out);
void db_finalize_all(sqlite3_stmt **stmts, size_t count);
/* Runs a prepared statement to its end, whatever rows it gives, and resets it. */
int db_run(sqlite3_stmt *stmt);
/* Runs it and takes the first column of the first row; otherwise when there is no row or it is NULL. Resets it. */
int db_take(sqlite3_stmt *stmt, int64_t otherwise, int64_t *out);
/* The same for a text that is prepared for this once. */
int db_number(sqlite3 *db, const char *sql, int64_t otherwise, int64_t *out);

/* RG_ECORRUPT, RG_ENOMEM or RG_EIO; RG_OK for SQLITE_OK. */
enum rg_err db_error(int rc);
/* "path: SQLite's words (and the system's)". To be called before anything else is done with the connection. */
void db_words(sqlite3 *db, int rc, const char *path, char *out, size_t size);

#endif
