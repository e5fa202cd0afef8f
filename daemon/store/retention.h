/* What keeps the store small: records that are too old or too many go in small slices between batches, so that an
 * alarm never waits for more than one of them; the write-ahead log is copied back; free pages are given back when
 * there are many.
 * Age: the oldest records of a stream go, in the order of their numbers, up to the last one whose own time is too
 * old. A time before 2020 or more than a day ahead tells nothing (a clock that was not set yet): such a record
 * goes with the next one after it that has a believable time, so that a record's wrong time neither empties the
 * store nor keeps it from ageing. A present that is suddenly more than an hour ahead of what the monotonic clock says is
 * believed after it has lasted for a day: a clock that shows 2040 for a minute makes nothing old. The present is believed while the system clock is synchronised, and where it never
 * was: a gateway that knows better times and comes up with an unset clock lets nothing age until it is set.
 * Size: oldest telemetry goes while the pages in use exceed max_size less a quarter (at most 64 MiB) and a margin of an
 * eighth (at most 1 MiB) for what is written between two measurements; the quarter is
 * left for the write-ahead log and the reserve. The disk's own free space is a second bound of the same kind.
 * Roll-ups: keep_rollups.h.
 * Alarms, events and reports never go for size. */
#ifndef RG_STORE_RETENTION_H
#define RG_STORE_RETENTION_H

#include "store/keep_rollups.h"
#include "store/writer.h"

#define RETENTION_SLICE_ROWS 1000
#define RETENTION_SLICE_BYTES (512u << 10)
#define RETENTION_SCAN_ROWS 4000 /* records whose age is looked at in one go */

struct retention_limits {
    int64_t keep_ms[STREAM_COUNT];
    int64_t keep_rollups_ms;
    int64_t max_size; /* bytes */
};

struct retention {
    struct writer *writer; /* borrowed: its connection and thread */
    sqlite3_stmt **stmts;
    struct keep_rollups rollups;
    int64_t probe[STREAM_COUNT];  /* up to here the age of records was looked at */
    int64_t doomed[STREAM_COUNT]; /* up to here they are too old */
    int64_t gone[STREAM_COUNT];   /* up to here they have been removed */
    int64_t log_kept;             /* bytes of the log's file that stay when it begins anew */
    bool vouched;                 /* some event was recorded with a synchronised clock */
    int64_t vouched_upto;         /* events looked at for that */
    int64_t present_ms;           /* what is taken for the present, wall; 0: not known yet */
    int64_t present_mono;         /* at that instant; 0: of a run before this one */
    int64_t offset_ms;            /* of the wall clock against the monotonic one, in the last round */
    int64_t ahead_since; /* the system's clock is far ahead of that, since then (mono); 0: it is not */
    int checkpoint_at;   /* frames in the log from which on it is worth another try */
};

/* One round of maintenance. */
struct retention_round {
    int64_t now_ms;  /* wall */
    int64_t mono_ms; /* the same instant */
    bool synced;     /* the system clock is */
    struct retention_limits limits;
    bool make_room;            /* the disk is full: telemetry goes whatever its age */
    struct cursor_set cursors; /* of all uplinks: what is still owed to whom */
    /* out */
    int rc;
    char words[WRITER_WORDS];
    bool more;             /* there is work for another round at once */
    struct loss_book lost; /* taken before every uplink had them */
    int64_t gone[STREAM_COUNT];
};

/* Bytes on the disk, after each job. */
struct retention_size {
    int64_t database, log, reserve; /* of the files */
    int64_t used;                   /* of the database's pages that hold something */
    int64_t free;                   /* on the file system; -1: not known */
};

RG_NODISCARD int retention_open(struct retention *r, struct writer *writer);
void retention_close(struct retention *r); /* takes a zeroed one */
void retention_run(struct retention *r, struct retention_round *round);
int retention_measure(struct retention *r, struct retention_size *out);

/* Bytes of max_size left for the write-ahead log and the reserve. */
int64_t retention_headroom(int64_t max_size);
/* Bytes of the reserve: as many as copying the log back may let the database grow, and what removing a slice
 * writes. */
int64_t retention_reserve(int64_t max_size);
/* Whether the sizes call for a round soon. */
bool retention_wanted(const struct retention *r, const struct retention_size *size, int64_t max_size);
/* Whether the log has twice its usual length, so that even alarms wait for the round: it is what max_size has to spare. Only while no
 * job runs. */
bool retention_pressing(const struct retention *r, int64_t max_size);

#endif
