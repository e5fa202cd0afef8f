/* The last reading of every point, for `riskgatectl points`. Pure. */
#ifndef RG_APP_LIVE_H
#define RG_APP_LIVE_H

#include "base/error.h"
#include "model/sample.h"
#include "model/site.h"

struct live_point {
    enum quality quality; /* QUALITY_STALE before the first reading */
    double value;
    int64_t wall_ms; /* 0: never */
};

struct live {
    struct live_point *points; /* [site.point_count] */
    size_t count;
};

RG_NODISCARD enum rg_err live_create(struct live *live, const struct site *site);
void live_destroy(struct live *live);
/* Over a reload. was: [points of live] which point of `from` means the same, or SITE_NONE. */
void live_inherit(struct live *live, const struct live *from, const uint32_t *was);
void live_note(struct live *live, const struct frame *frame);

#endif
