/* What was recorded of one point, in the order of time: its readings, or what they came to minute by minute. For people's questions, over a
 * read-only connection of its own; blocking; the daemon may go on writing meanwhile. */
#ifndef RG_STORE_READINGS_H
#define RG_STORE_READINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct readings_wish {
    const char *point;      /* full name: device.point */
    int64_t from_ms, to_ms; /* wall, both included; to_ms 0: to the end. Minutes: those that begin then */
    bool minutes;
};

struct readings_row {
    int64_t ts; /* wall ms; of a minute: its beginning */
    bool has_value;
    /* A reading: its value as it stands in the record, or NULL, and its quality. Borrowed until the next call. */
    const char *value, *quality;
    bool unsynced; /* taken while the clock was not synchronised */
    /* A minute: good readings and others; with has_value the rest. */
    int64_t n, bad;
    double min, max, mean;
};

struct readings;

/* RG_EINVAL: not a store; RG_EUNSUPPORTED: of another version; RG_ENOTFOUND: the store knows no such point; RG_EIO, RG_ECORRUPT, RG_ENOMEM.
 * *why (why_size bytes) names the file. */
RG_NODISCARD enum rg_err readings_open(const char *path, const struct readings_wish *wish,
                                       struct readings **out, char *why, size_t why_size);
void readings_close(struct readings *r); /* takes NULL */
/* RG_ENOTFOUND: that was all. */
RG_NODISCARD enum rg_err readings_next(struct readings *r, struct readings_row *row);
const char *readings_why(const struct readings *r);

#endif
