/* Where what was recorded is thinner than what was to be polled. Private to this folder.
 *
 * Each point of a device is due once in a poll period. Where a frame comes and one of its points was last recorded more than one and a half
 * periods before, a stretch of thin data begins, or goes on when it begins where the last one ended; the first frame in time ends it. A run's
 * beginning and end count as frames. Instants are monotonic within a run and wall for people.
 * While a device's readings were thinned by its configuration, that is a stretch of its own, told when it ends, and only what is thinner than
 * that is another. */
#ifndef RG_REPLAY_GAPS_H
#define RG_REPLAY_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/moment.h"
#include "model/sample.h"
#include "model/site.h"

struct gap {
    uint32_t device;        /* of the site */
    int64_t from_ms, to_ms; /* wall */
    int64_t polls;          /* that were due in between */
    int64_t frames;         /* that were recorded in between */
    bool silent;            /* the device did not answer, so it was asked less often */
    int64_t
        every_ms; /* its readings were recorded so often at least, as its configuration said; 0: no such thing */
};

typedef void (*gap_cb)(void *arg, const struct gap *gap);

struct gaps {
    const struct site *site;
    struct moment *last; /* of each point of the site: its last frame, or the run's beginning */
    struct gap_device {
        struct moment from, to; /* of the stretch that is under way; from.mono_ms < 0: none */
        int64_t frames;
        bool silent, unheard;             /* in the stretch; its last frame */
        struct moment thin_from, thin_to; /* the stretch in which it is recorded every_ms */
        int64_t every_ms, thin_frames;
    } * devices;
    gap_cb cb;
    void *arg;
};

RG_NODISCARD enum rg_err gaps_create(const struct site *site, gap_cb cb, void *arg, struct gaps *out);
void gaps_destroy(struct gaps *g); /* takes a zeroed one */
/* A run begins: devices that start up are not asked at first. */
void gaps_begin(struct gaps *g, struct moment at);
/* every_ms: as history_entry says. */
void gaps_frame(struct gaps *g, const struct frame *frame, int64_t every_ms);
/* A run ends, or the past does. */
void gaps_end(struct gaps *g, struct moment at);

#endif
