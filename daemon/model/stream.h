/* Streams of numbered records, and what an uplink asks of them. */
#ifndef RG_MODEL_STREAM_H
#define RG_MODEL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/level.h"

enum stream { STREAM_ALARM, STREAM_TELEMETRY, STREAM_EVENT, STREAM_REPORT };
#define STREAM_COUNT 4

const char *stream_name(enum stream stream); /* "alarm" "telemetry" "event" "report" */

/* Sequence numbers begin at 1; 0 means none. */

/* Which records of a stream are meant for an uplink. All of them when zeroed. */
struct stream_filter {
    enum level alarm_from; /* alarm: only records whose level or was is this or higher; LEVEL_NONE: all */
    const bool *devices;   /* telemetry: by device index of the site; NULL: all */
    size_t device_count;
};

/* Inclusive; empty when last < first. */
struct seq_range {
    int64_t first;
    int64_t last;
};

/* What one uplink has still to deliver of one stream. Everything up to `acked` is done but for the ranges; everything
 * above `acked` is not. */
#define CURSOR_RANGES 64
struct cursor {
    int64_t acked;
    size_t range_count;
    struct seq_range ranges[CURSOR_RANGES]; /* back-fill still owed, ascending, disjoint, all <= acked */
};

/* Records as they lie in the store, ready to be put into one message: bodies joined by ','. */
struct chunk {
    enum rg_err error; /* RG_OK, or why nothing could be read */
    int64_t first;     /* sequence number of the first record, 0 when count is 0 */
    int64_t last;      /* and of the last */
    int64_t prev;      /* the record before first among those that pass the filter; 0: none */
    int64_t
        scanned_to; /* everything up to here was looked at (>= last; more when a filter left records out) */
    size_t count;
    bool unsynced;      /* at least one was taken while the clock was not synchronised */
    const char *bodies; /* not NUL-terminated */
    size_t length;
};

#endif
