/* The last reading of every point, for who asks what it is now. And what people are shown when they ask why: the last readings of the
 * points that alarms can come of, and for each active alarm the readings that led to its level. In memory only, of a fixed size; the store
 * has the rest. Pure. */
#ifndef RG_APP_EVIDENCE_H
#define RG_APP_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"
#include "model/sample.h"
#include "model/site.h"

#define EVIDENCE_SAMPLES 8
#define EVIDENCE_CAUSES 512 /* beyond that many active alarms the oldest lose theirs */

struct evidence_sample {
    int64_t wall_ms; /* 0: never */
    double value;    /* of a good one */
    enum quality quality;
};

/* The same as it is kept, of every reading of every point. */
struct evidence_reading {
    double value;
    uint64_t when; /* time and quality: evidence.c */
};

/* The last change of an active alarm's level. */
struct evidence_cause {
    char alarm[ALARM_ID_MAX]; /* empty: not in use */
    enum alarm_event event;
    int64_t wall_ms, mono_ms;
    enum level was, level;
    bool has_value, has_limit;
    double value, limit;
    size_t sample_count;
    struct evidence_sample samples[EVIDENCE_SAMPLES]; /* of its point, up to the change; oldest first */
};

struct evidence {
    const struct site *site;
    uint32_t *
        first; /* [site.point_count + 1]: a point's readings begin there; so many as there are to the next one's are a ring */
    uint8_t *noted; /* [site.point_count]: of its ring; evidence.c */
    struct evidence_reading *readings;
    struct evidence_cause *causes; /* [EVIDENCE_CAUSES] */
};

/* Of points that no rule watches, and whose readings are never doubted, only the last reading is kept. RG_ENOMEM. site must outlive it. */
RG_NODISCARD enum rg_err evidence_create(struct evidence *e, const struct site *site);
void evidence_destroy(struct evidence *e); /* takes a zeroed or half-built one */
/* Takes the causes over, after a reload, for the alarms go on, and the last readings of points that mean the same; it has none yet. was:
 * [site.point_count] which point that is in the site before, or SITE_NONE. */
void evidence_inherit(struct evidence *e, const struct evidence *from, const uint32_t *was);
/* Before the rules are given the frame. */
void evidence_frame(struct evidence *e, const struct frame *frame);
/* A change of any kind; those of a level are kept, a clear lets go of the alarm's. */
void evidence_change(struct evidence *e, const struct alarm_change *change);
/* The last one; before the first: never, and QUALITY_STALE. */
struct evidence_sample evidence_last(const struct evidence *e, uint32_t point);
/* Oldest first; returns how many: none of a point of which only the last one is kept. */
size_t evidence_samples(const struct evidence *e, uint32_t point,
                        struct evidence_sample out[EVIDENCE_SAMPLES]);
/* NULL: it was raised before the last start, or lost to EVIDENCE_CAUSES. */
const struct evidence_cause *evidence_cause(const struct evidence *e, const char *alarm);

#endif
