/* What inquiry.h answers, in SQL. Blocking, on the connection of the inquiries; the functions give SQLite's result codes. */
#ifndef RG_STORE_SUMMARY_H
#define RG_STORE_SUMMARY_H

#include "model/summary.h"
#include "store/db.h"
#include "store/inquiry.h"

int summary_make(sqlite3 *db, const struct store_inquiry *ask, struct summary *out);
/* As of now_ms. */
int summary_past(sqlite3 *db, int64_t now_ms, struct past *out);

/* ---- the parts of summary_make ---- */
int summary_samples(sqlite3 *db, struct summary *s);
int summary_outages(sqlite3 *db, const struct store_inquiry *ask, struct summary *s);
/* The place of an uplink in s, or NULL: it is not told of. */
struct summary_uplink *summary_uplink(struct summary *s, const char *name);
/* A statement for the stretch of s: ?1 and ?2 are its ends. *out is to be finalized. */
int summary_prepare(sqlite3 *db, const char *sql, const struct summary *s, sqlite3_stmt **out);
/* The end of stepping through it: finalizes it; rc as the last step gave it. */
int summary_end(sqlite3_stmt *stmt, int rc);

#endif
