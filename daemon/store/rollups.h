/* Minute roll-ups on their way to the disk: some gather while others fly, and what failed flies again. They are of parts, of
 * thousands of rows, for which an alarm must not wait: they go in slices, each in one transaction with the mark of how far the
 * part is in, so that a crash counts no frame twice and none too little that was recorded. */
#ifndef RG_STORE_ROLLUPS_H
#define RG_STORE_ROLLUPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/rollup.h"
#include "store/db.h"

/* May gather, and as much again in flight: room for the latest two minutes of very many points. */
#define ROLLUPS_BYTES (4u << 20)
#define ROLLUPS_MOST (2 * ROLLUP_PIECES) /* pieces, if they take more than that */
/* A transaction takes so many rows, some two milliseconds of a processor, or such a part of all that wait, if that is more and no alarm waits. */
#define ROLLUPS_SLICE 500
#define ROLLUPS_SHARE 8
#define ROLLUPS_REMOVED 4000 /* at once, when they are too old */
#define ROLLUPS_ROW_BYTES 48 /* of one in the database, measured: tests/bench/bench_rollup.c */

struct rollups_region {
    char *memory;
    size_t capacity, used, done; /* bytes */
};

struct rollups {
    struct rollups_region gathering, flying;
    uint64_t added, stored; /* rows, ever */
    size_t largest;         /* bytes of the largest piece */
    uint64_t lost;          /* rows for which there was no memory */
    atomic_bool hurry;      /* an alarm waits for what flies; for the writer's thread, too */
};

/* Rows that go in one transaction. */
struct rollups_slice {
    const struct rollups_region *region;
    const atomic_bool *hurry;
    size_t from, to; /* bytes */
    size_t count;    /* rows; 0: nothing */
};

RG_NODISCARD enum rg_err rollups_create(struct rollups *r); /* RG_ENOMEM */
void rollups_destroy(struct rollups *r);                    /* takes a zeroed one */
/* Copies the rows; pieces of a part come one after the other. RG_EFULL, RG_ENOMEM: they are counted as lost. */
RG_NODISCARD enum rg_err rollups_add(struct rollups *r, const struct rollup_piece *piece);
/* What is to go next: what failed before, or the rows behind it. A count of 0: nothing waits. */
struct rollups_slice rollups_fly(struct rollups *r);
/* An alarm waits for it, or goes with it: it may end after ROLLUPS_SLICE rows. */
void rollups_hurry(struct rollups *r);
/* The slice is stored. */
void rollups_done(struct rollups *r, const struct rollups_slice *slice);
bool rollups_waiting(const struct rollups *r);

/* At a start: frames that were recorded after those in the roll-ups are put into them. */
int rollups_rebuild(sqlite3 *db);

/* The statements of a writer for them. */
enum rollups_stmt { ROLLUPS_PUT, ROLLUPS_POINT, ROLLUPS_ROLLED, ROLLUPS_ROLLING, ROLLUPS_STMT_COUNT };
int rollups_prepare(sqlite3 *db, sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT]);
/* Inside a transaction. Makes the slice shorter where it was in a hurry: to what is in. */
int rollups_put(sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT], struct rollups_slice *slice);

#endif
