/* The writing side: one connection, used by one thread at a time (the worker while it runs, the loop's before and
 * after). */
#ifndef RG_STORE_WRITER_H
#define RG_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/batch.h"
#include "store/chain.h"
#include "store/cursors.h"
#include "store/db.h"
#include "store/loss.h"
#include "store/rollups.h"

#define WRITER_DEVICES 65536 /* names of devices a store may have known in its life */
#define WRITER_WORDS 512

enum writer_stmt {
    WRITER_BEGIN,
    WRITER_COMMIT,
    WRITER_ROLLBACK,
    WRITER_ALARM,
    WRITER_TELEMETRY,
    WRITER_EVENT,
    WRITER_REPORT,
    WRITER_OCCURRENCE,
    WRITER_NEXT_ALARM,
    WRITER_CONFIG,
    WRITER_STREAM,
    WRITER_DEVICE,
    WRITER_BLOCK_GET,
    WRITER_BLOCK_PUT,
    WRITER_CURSOR_PUT,
    WRITER_CURSOR_DROP,
    WRITER_LOSS_TOLD,
    WRITER_LOSS_SWEEP,
    WRITER_STMT_COUNT,
};

struct writer_stream {
    int64_t seq; /* the last one committed */
    char hash[CHAIN_HEX + 1];
};

struct writer {
    sqlite3 *db;
    const char *path; /* borrowed */
    sqlite3_stmt *stmts[WRITER_STMT_COUNT];
    sqlite3_stmt *rollups[ROLLUPS_STMT_COUNT];
    struct chain *chain;
    struct writer_stream streams[STREAM_COUNT];
    int64_t block;     /* whose devices are in the map; -1: none */
    bool block_dirty;  /* more are in the map than in the store */
    size_t block_size; /* bytes of the map in use */
    uint8_t block_map[WRITER_DEVICES / 8];
    int wal_pages; /* frames in the write-ahead log after the last commit */
};

/* A slice of a lane's flying region. */
struct writer_slice {
    const struct region *region;
    size_t from, to;
};

/* One transaction. */
struct writer_batch {
    struct writer_slice alarms; /* alarms, events, reports */
    struct writer_slice telemetry;
    struct cursor_set cursors;    /* what is to be written of them */
    struct loss_book told;        /* losses that were told, and are in the records of this batch */
    const char *config;           /* to be kept as the one in force, or NULL */
    const struct duty_list *duty; /* devices that are asked from now on, or NULL: as before */
    struct rollups_slice rollups;
    uint64_t next_alarm; /* number of the next occurrence, or 0: the store knows it */
    /* out */
    int rc;
    char words[WRITER_WORDS]; /* when rc is not SQLITE_OK */
    int64_t head[STREAM_COUNT];
    bool changed[STREAM_COUNT];
};

/* The connection must be open and its schema up to date. What was made is to be undone by writer_close, on an
 * error too. */
int writer_open(struct writer *w, sqlite3 *db, const char *path, enum rg_err *err);
void writer_close(struct writer *w); /* not the connection; takes a zeroed one */

/* All of the batch or nothing: after a failure the store is as before. */
void writer_run(struct writer *w, struct writer_batch *b);

int writer_begin(struct writer *w);
int writer_commit(struct writer *w);
/* Undoes what is open; the words of rc must have been taken before. */
void writer_rollback(struct writer *w);

#endif
