/* <path>.marks: a few numbers beside the database, so that none is ever used with two contents, whatever becomes of
 * the database: how far it had come, and numbers that are reserved far ahead.
 *
 * Three slots of a sector each, in pages of their own, each with a check sum. Reservations are synced, into the first
 * two by turns, so that one that is torn leaves the one before; they are rare. After each commit the third is written
 * without a sync: it costs the disk next to nothing, outlives a killed process, and shows after it when the database
 * has lost commits (a log that was deleted, a file that an older copy was put in the place of). After a power cut it
 * may be older than the database; then the reservations hold.
 * A file that is absent or damaged says nothing, and nothing fails for want of it. */
#ifndef RG_STORE_MARKS_H
#define RG_STORE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/stream.h"
#include "store/count_vfs.h"

#define MARKS_AHEAD_TELEMETRY 100000 /* numbers reserved at a time: a sync in half as many records */
#define MARKS_AHEAD 10000            /* of the other streams, and of occurrences */
#define MARKS_BOOT_ID 40

struct marks_state {
    bool found; /* there was a slot that makes sense */
    bool exact; /* seen is all there was: a clean end, or the machine has not restarted since */
    int64_t seen[STREAM_COUNT];     /* last numbers committed */
    int64_t reserved[STREAM_COUNT]; /* no higher one was ever used */
    uint64_t next_alarm;            /* no occurrence ever had this number or a higher one */
    int64_t boot;
    int64_t present_ms; /* wall: what the retention took for the present; 0: not known */
};

struct marks {
    int fd;                  /* -1: cannot be opened */
    struct count_vfs *count; /* borrowed; may be NULL */
    uint64_t generation;
    int place; /* of the next slot that is synced */
    struct marks_state now;
    char boot_id[MARKS_BOOT_ID]; /* of this run of the machine */
};

/* Reads what is there (all zero otherwise), and keeps the file open for what follows. Never fails: without a file to
 * write to the rest does nothing. */
void marks_open(struct marks *m, const char *path, struct count_vfs *count, struct marks_state *found);
/* Writes nothing. Takes one that was never opened when its fd is -1. */
void marks_close(struct marks *m);
/* Begins with these numbers, synced. True: they are on the disk. */
bool marks_begin(struct marks *m, const int64_t head[STREAM_COUNT], uint64_t next_alarm, int64_t boot);
/* After a commit. Half of the reservation is always ahead: more than one commit can use. */
void marks_note(struct marks *m, const int64_t head[STREAM_COUNT], uint64_t next_alarm, int64_t present_ms);
/* At a clean end, synced. */
void marks_end(struct marks *m);

#endif
