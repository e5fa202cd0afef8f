/* What a new store begins with when the one before it was set aside: numbers above all that were ever used, what could be
 * read of the old one, and the word of what could not.
 *
 * Streams with a hash chain are taken over when their last number is known for certain: from the newest record down, as
 * far as each record's hash follows from the one before it. The chain goes on then as if nothing had been. Where that
 * cannot be it begins anew, above the numbers that were reserved, and table `chain_start` says so. Telemetry is not
 * taken over: it is nearly all of the file, and most likely what is damaged. The state of active alarms, permits, cursors,
 * names of devices and the configuration in force is, as far as it can be read, table by table. What is missing in the
 * end is noted as lost with its first and last number. */
#ifndef RG_STORE_RENEW_H
#define RG_STORE_RENEW_H

#include "store/chain.h"
#include "store/db.h"
#include "store/loss.h"
#include "store/marks.h"
#include "store/set_aside.h"

struct renew_stream {
    int64_t head; /* no higher number was ever used */
    int64_t gone; /* up to here the retention had taken them */
    bool exact;   /* head is the last one, and hash its hash */
    char hash[CHAIN_HEX + 1];
};

/* A name that has its number already, in memory. */
struct renew_device {
    uint32_t id;
    const char *name; /* borrowed */
};

struct renew {
    struct renew_stream streams[STREAM_COUNT];
    uint64_t next_alarm;
    int64_t boot;
    int64_t wall_ms;
    enum loss_cause cause;
    char file[SET_ASIDE_NAME]; /* as it was set aside, in the same folder; "": there was none */
    char why[256];
    struct renew_device *devices; /* owned */
    size_t device_count;
    struct loss lost[STREAM_COUNT]; /* out: what is missing in the new store */
};

/* At a start: what the old file, at its new place, and the marks say. Never fails: what cannot be read is made good for by
 * numbers far ahead. */
void renew_learn(const char *old_path, const struct marks_state *marks, struct renew *r);
/* Writes it all into the empty database db, in one transaction; nothing when it was done before. old_path: of what was set aside, NULL: nothing. */
int renew_write(sqlite3 *db, const char *old_path, struct renew *r);
void renew_free(struct renew *r); /* takes a zeroed one */

#endif
