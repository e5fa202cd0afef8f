#include "store/check.h"

#include <string.h>

#include "base/text.h"

static enum rg_err quick_check(sqlite3 *db, const char *pragma, char *why, size_t why_size)
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, pragma, &stmt);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    enum rg_err err = db_error(rc);
    if (rc == SQLITE_ROW) {
        const char *words = (const char *)sqlite3_column_text(stmt, 0);
        err = words != NULL && strcmp(words, "ok") == 0 ? RG_OK : RG_ECORRUPT;
        if (err != RG_OK)
            (void)text_format(why, why_size, "is damaged: %s", words == NULL ? "?" : words);
    } else if (err != RG_OK) {
        (void)text_format(why, why_size, "cannot be checked: %s", sqlite3_errmsg(db));
    }
    (void)sqlite3_finalize(stmt);
    return err;
}

/* All of a file of usual size; of a large one the tables that alarms hang on. */
static enum rg_err check_pages(sqlite3 *db, char *why, size_t why_size)
{
    static const char *const small[] = {
        "PRAGMA quick_check(sqlite_schema)", "PRAGMA quick_check(run)",    "PRAGMA quick_check(stream)",
        "PRAGMA quick_check(occurrence)",    "PRAGMA quick_check(cursor)", "PRAGMA quick_check(device)",
        "PRAGMA quick_check(alarm)",         "PRAGMA quick_check(event)",  "PRAGMA quick_check(report)",
    };
    int64_t pages = 0;
    int rc = db_number(db, "PRAGMA page_count", 0, &pages);
    if (rc != SQLITE_OK) {
        (void)text_format(why, why_size, "cannot be checked: %s", sqlite3_errmsg(db));
        return db_error(rc);
    }
    if (pages <= CHECK_WHOLE_PAGES)
        return quick_check(db, "PRAGMA quick_check(1)", why, why_size);
    enum rg_err err = RG_OK;
    for (size_t i = 0; i < RG_COUNT(small) && err == RG_OK; i++)
        err = quick_check(db, small[i], why, why_size);
    return err;
}

/* A number that is used already, or a chain that does not end where the next record begins, would only show much
 * later. */
static const char ends[] =
    "SELECT name FROM stream s LEFT JOIN ("
    " SELECT 0 AS id, seq, hash FROM alarm WHERE seq = (SELECT max(seq) FROM alarm)"
    " UNION ALL SELECT 1, seq, '' FROM telemetry WHERE seq = (SELECT max(seq) FROM telemetry)"
    " UNION ALL SELECT 2, seq, hash FROM event WHERE seq = (SELECT max(seq) FROM event)"
    " UNION ALL SELECT 3, seq, hash FROM report WHERE seq = (SELECT max(seq) FROM report)) t ON t.id = s.id"
    " WHERE t.seq IS NOT NULL AND (t.seq <> s.seq OR t.hash <> s.hash)";

static enum rg_err check_ends(sqlite3 *db, char *why, size_t why_size)
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, ends, &stmt);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    enum rg_err err = RG_OK;
    if (rc == SQLITE_ROW) {
        err = RG_ECORRUPT;
        (void)text_format(why, why_size,
                          "is damaged: the last record of stream %s does not fit its number or hash",
                          (const char *)sqlite3_column_text(stmt, 0));
    } else if (rc != SQLITE_DONE) {
        err = db_error(rc);
        (void)text_format(why, why_size, "cannot be checked: %s", sqlite3_errmsg(db));
    }
    (void)sqlite3_finalize(stmt);
    return err;
}

enum rg_err check_database(sqlite3 *db, char *why, size_t why_size)
{
    enum rg_err err = check_pages(db, why, why_size);
    return err == RG_OK ? check_ends(db, why, why_size) : err;
}
