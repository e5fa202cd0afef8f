/* A database with one table of rows (seq, ts, device, body), in WAL as riskgate's store is. */
#ifndef RG_BENCH_DATABASE_H
#define RG_BENCH_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

struct database {
    sqlite3 *db;
    sqlite3_stmt *begin, *insert, *commit;
    int64_t seq;
};

/* synchronous: NORMAL or FULL. The file is made anew. Ends the program when that does not work. */
void database_open(struct database *d, const char *folder, const char *synchronous);
void database_begin(struct database *d);
void database_insert(struct database *d, int64_t device, const void *body, size_t length);
/* How long it took, microseconds. */
int64_t database_commit(struct database *d);
void database_close(struct database *d);

#endif
