#include "store/db.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/count_vfs.h"

#define DB_FLAGS (SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE)

static int open_uri(const char *path, const char *how, sqlite3 **out)
{
    static const char digits[] = "0123456789abcdef";
    const size_t length = strlen(path);
    const size_t room = 3 * length + 64;
    char *uri = malloc(room);
    if (uri == NULL)
        return SQLITE_NOMEM;
    size_t at = (size_t)snprintf(uri, 8, "file:");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)path[i];
        if (c == '%' || c == '?' || c == '#') {
            uri[at++] = '%';
            uri[at++] = digits[c >> 4];
            uri[at++] = digits[c & 15];
        } else {
            uri[at++] = path[i];
        }
    }
    (void)text_format(uri + at, room - at, "?%s", how);
    int rc = sqlite3_open_v2(uri, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | DB_FLAGS, NULL);
    free(uri);
    return rc;
}

static int look(sqlite3 *db)
{
    return db_exec(db, "PRAGMA user_version"); /* this is where a log that cannot be made shows */
}

/* The database is closed, and SQLite can make no files beside it: nobody writes to it either. */
static bool frozen(const char *path, int rc)
{
    char wal[PATH_MAX];
    struct stat log;

    return (rc & 0xff) == SQLITE_CANTOPEN && access(path, R_OK) == 0 &&
           text_format(wal, sizeof(wal), "%s-wal", path) && (stat(wal, &log) != 0 || log.st_size == 0);
}

static int open_auditor(const char *path, sqlite3 **out)
{
    int rc = sqlite3_open_v2(path, out, SQLITE_OPEN_READONLY | DB_FLAGS, NULL);
    if (rc == SQLITE_OK)
        rc = look(*out);
    if (!frozen(path, rc))
        return rc;
    db_close(*out);
    return open_uri(path, "immutable=1", out);
}

/* With a log, its index is made in memory where the disk takes none. */
static int open_survivor(const char *path, sqlite3 **out)
{
    int rc = open_uri(path, "readonly_shm=1", out);
    if (rc == SQLITE_OK)
        rc = look(*out);
    if (!frozen(path, rc))
        return rc;
    db_close(*out);
    return open_uri(path, "immutable=1", out);
}

static int open_role(const char *path, enum db_role role, const char *vfs, sqlite3 **out)
{
    switch (role) {
    case DB_AUDITOR:
        return open_auditor(path, out);
    case DB_SURVIVOR:
        return open_survivor(path, out);
    case DB_WRITER:
        return sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | DB_FLAGS, vfs);
    case DB_READER:
        break;
    }
    return sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | DB_FLAGS, vfs);
}

int db_connect(const char *path, enum db_role role, const char *vfs, sqlite3 **out)
{
    int rc = open_role(path, role, vfs, out);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_busy_timeout(*out, DB_BUSY_MS);
    if (rc == SQLITE_OK)
        rc = db_exec(*out, "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF");
    if (rc == SQLITE_OK && role != DB_WRITER)
        rc = db_exec(*out, "PRAGMA query_only = ON");
    return rc;
}

void db_leave_log(sqlite3 *db)
{
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                            (int *)NULL); /* no such option: no harm */
}

void db_close(sqlite3 *db)
{
    /* Cannot fail: the owner finalized its statements, and the zombie form of v2 frees the rest if it did not. */
    (void)sqlite3_close_v2(db);
}

int db_exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

int db_prepare_all(sqlite3 *db, const char *const *sql, size_t count, sqlite3_stmt **out)
{
    for (size_t i = 0; i < count; i++) {
        int rc = db_prepare(db, sql[i], &out[i]);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

void db_finalize_all(sqlite3_stmt **stmts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)sqlite3_finalize(stmts[i]); /* repeats the error of the last step, which was looked at then */
        stmts[i] = NULL;
    }
}

int db_run(sqlite3_stmt *stmt)
{
    int rc = SQLITE_ROW;
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt); /* repeats the error of the step */
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int db_take(sqlite3_stmt *stmt, int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
            *out = sqlite3_column_int64(stmt, 0);
        rc = SQLITE_DONE;
    }
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int db_number(sqlite3 *db, const char *sql, int64_t otherwise, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    *out = otherwise;
    int rc = db_prepare(db, sql, &stmt);
    if (rc == SQLITE_OK)
        rc = db_take(stmt, otherwise, out);
    (void)sqlite3_finalize(stmt);
    return rc;
}

enum rg_err db_error(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return RG_OK;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RG_ECORRUPT;
    case SQLITE_NOMEM:
        return RG_ENOMEM;
    default:
        return RG_EIO;
    }
}

/* SQLite itself does not keep it when a COMMIT fails; the layer that counts does. */
static int system_cause(sqlite3 *db)
{
    sqlite3_vfs *vfs = NULL;
    int cause = db == NULL ? 0 : sqlite3_system_errno(db);
    if (db != NULL && cause == 0 &&
        sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) == SQLITE_OK && vfs != NULL &&
        strncmp(vfs->zName, COUNT_VFS_NAME, strlen(COUNT_VFS_NAME)) == 0)
        cause = vfs->xGetLastError(vfs, 0, NULL);
    return cause;
}

void db_words(sqlite3 *db, int rc, const char *path, char *out, size_t size)
{
    /* After a prepare or step the connection's own words say more than those of the code alone. */
    bool own = db != NULL && (sqlite3_extended_errcode(db) & 0xff) == (rc & 0xff);
    const char *words = own ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    int cause = system_cause(db);
    int kind = rc & 0xff;
    if (cause != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL)) {
        char system[128] = "";
        (void)text_format(out, size, "%s: %s (%s)", path, words, strerror_r(cause, system, sizeof(system)));
    } else {
        (void)text_format(out, size, "%s: %s", path, words);
    }
}
