/* The recorded past, in the order in which the daemon took it in: frames, alarm transitions and events of the gateway, merged by
 * `turn`. For the back-test, and for filling windows at the start. Blocking, on a read-only connection of its own; one
 * thread at a time. The daemon may go on writing meanwhile: what comes after history_open is not read, and no read
 * transaction is held for long, so that its log does not grow. Retention may take the oldest records away while they are
 * waited for; they are then missing. */
#ifndef RG_STORE_HISTORY_H
#define RG_STORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/stream.h"

/* What is wanted; zeroed: everything. */
struct history_wish {
    /* Telemetry from about this wall time on (0: the oldest): the first frame that is not older, and all after it. Alarms
     * and events that were taken in after the last frame that is left out. */
    int64_t from_ms;
    int64_t after_turn; /* only what was taken in after this turn */
    /* Telemetry: only the last frame that is not newer than this wall time (0: all), and the last one of those that were held back: where
     * the clock stepped back, frames before them may be newer. */
    int64_t last_until_ms;
    bool telemetry_only;
    bool only_clock;            /* only events of kind `clock` */
    const char *const *devices; /* names; entry.device is the index here. Borrowed until history_close */
    size_t device_count;
    bool only_devices; /* leave frames of other devices out */
};

/* One record. Pointers are borrowed until the next call. */
struct history_entry {
    enum stream stream;
    int64_t seq, ts;
    int64_t turn; /* 0: recorded by a version that kept none; such records are in the order of ts */
    int64_t mono; /* monotonic ms of its instant; only to be compared within one run. Without a turn: ts */
    bool unsynced;
    bool held;               /* telemetry: recorded later than its turn, because an alarm came */
    int64_t every_ms;        /* telemetry: its device was recorded so often at least; 0: at each poll */
    const char *kind;        /* event */
    const char *device_name; /* telemetry */
    uint32_t device;         /* telemetry: index into the wish's devices, or UINT32_MAX */
    const char *body;        /* the record's text, {"seq":...}, not NUL-terminated */
    size_t length;
};

struct history;

/* path: of the store's file. RG_EIO, RG_ECORRUPT, RG_ENOMEM; RG_EINVAL: not a store; RG_EUNSUPPORTED: of another version
 * (a store is brought up to date by the daemon, never by a reader). *why (why_size bytes) names the file. */
RG_NODISCARD enum rg_err history_open(const char *path, const struct history_wish *wish, struct history **out,
                                      char *why, size_t why_size);
void history_close(struct history *h); /* takes NULL */
/* The next record; RG_ENOTFOUND: that was all. RG_EIO, RG_ECORRUPT: see history_why. */
RG_NODISCARD enum rg_err history_next(struct history *h, struct history_entry *entry);
const char *history_why(const struct history *h);
/* Records that will be looked at, about: for a progress display. */
uint64_t history_total(const struct history *h);

#endif
