/* Reading one chunk: one connection, used by one thread at a time. */
#ifndef RG_STORE_FETCH_H
#define RG_STORE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/stream.h"
#include "store/db.h"
#include "store/writer.h"

#define FETCH_SCAN_ROWS 8192 /* records looked at for one chunk */

struct fetch_request {
    enum stream stream;
    int64_t from, upto; /* upto 0: the head */
    size_t max_count, max_bytes;
    enum level alarm_from; /* alarm: LEVEL_NONE: all */
    bool by_device;        /* telemetry: only devices whose bit is set */
    size_t allowed_size;   /* bytes of the map in use */
    uint8_t allowed[WRITER_DEVICES / 8];
};

#define FETCH_STMT_COUNT 11

struct fetcher {
    sqlite3 *db;
    sqlite3_stmt *stmts[FETCH_STMT_COUNT];
    char *bodies; /* grows with what is asked for, never shrinks */
    size_t capacity;
};

/* What was made is to be undone by fetch_close, on an error too. */
int fetch_open(struct fetcher *f, sqlite3 *db);
void fetch_close(struct fetcher *f); /* not the connection; takes a zeroed one */
/* Fills the chunk; its bodies belong to the fetcher and stay until the next call. */
void fetch_run(struct fetcher *f, const struct fetch_request *request, struct chunk *chunk);

#endif
