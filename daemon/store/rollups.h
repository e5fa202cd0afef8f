/* Minute roll-ups on their way to the disk: a batch gathers while another one flies, and what failed flies again. They go by themselves,
 * in one transaction with the turn up to which frames are in them, so that a crash counts no frame twice and none too little
 * that was recorded. Those of 10,000 points are 40 ms of a processor's work: an alarm that comes meanwhile has it undone, goes first, and
 * they are tried again. */
#ifndef RG_STORE_ROLLUPS_H
#define RG_STORE_ROLLUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/rollup.h"
#include "store/db.h"

#define ROLLUPS_BYTES                                                                                        \
    (4u << 20) /* that may gather, and as much again in flight; more when one batch takes more */
#define ROLLUPS_SLICE_ROWS 4000 /* removed at once */
#define ROLLUPS_ROW_BYTES 48    /* of one in the database, measured: tests/bench/bench_rollup.c */

struct rollups_batch {
    char *memory;
    size_t capacity, used, count;
    int64_t turn; /* frames up to here are in them */
};

struct rollups {
    struct rollups_batch gathering, flying;
    uint64_t lost; /* rows for which there was no memory */
};

RG_NODISCARD enum rg_err rollups_create(struct rollups *r); /* RG_ENOMEM */
void rollups_destroy(struct rollups *r);                    /* takes a zeroed one */
/* Copies the rows. RG_EFULL, RG_ENOMEM: they are counted as lost. */
RG_NODISCARD enum rg_err rollups_add(struct rollups *r, const struct rollup_row *rows, size_t count,
                                     int64_t turn);
/* What is to fly: with what failed before, or what has gathered. NULL: nothing. */
const struct rollups_batch *rollups_fly(struct rollups *r);
void rollups_done(struct rollups *r);
size_t rollups_count(const struct rollups *r); /* rows that are not done */

/* The next row of a batch; *at begins at 0. False: that was the last. */
bool rollups_next(const struct rollups_batch *b, size_t *at, struct rollup_row *row);

/* At a start: frames that were recorded after those in the roll-ups are put into them. */
int rollups_rebuild(sqlite3 *db);

/* The statements of a writer for them. */
enum rollups_stmt { ROLLUPS_PUT, ROLLUPS_POINT, ROLLUPS_ROLLED, ROLLUPS_STMT_COUNT };
int rollups_prepare(sqlite3 *db, sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT]);
/* Inside a transaction. b may be NULL. SQLITE_INTERRUPT as soon as *give_way is set, which may be NULL. */
int rollups_put(sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT], const struct rollups_batch *b,
                const _Atomic bool *give_way);

#endif
