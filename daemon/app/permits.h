/* Permits to work, as people open and close them: the rules keep until when one is open, here is kept who opened it. A permit
 * stays open over a reload, as long as it is configured, and over a restart until the time of day that was said. */
#ifndef RG_APP_PERMITS_H
#define RG_APP_PERMITS_H

#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"
#include "model/moment.h"
#include "model/site.h"
#include "rules/rules.h"
#include "store/store.h"

struct permit_note {
    char by[ALARM_WHO_MAX]; /* who opened it last */
    int64_t opened_ms;      /* wall; 0: never */
};

struct permits {
    struct permit_note *notes; /* by site.permits */
};

/* RG_ENOMEM. */
RG_NODISCARD enum rg_err permits_create(struct permits *p, const struct site *site);
void permits_destroy(struct permits *p); /* takes a zeroed one */
/* Index into site.permits, or SITE_NONE. */
uint32_t permits_find(const struct site *site, const char *name);
/* Before rules_start at `now`: those that are open in the rules in force go on until the same instant. */
void permits_inherit(struct permits *p, const struct site *site, struct rules *rules,
                     const struct permits *from, const struct site *before, const struct rules *old,
                     struct moment now);
/* The same with those that were open when the daemon stopped: as long as the clock has not come to their end, but not longer
 * than the permit may be opened for. */
void permits_restore(struct permits *p, const struct site *site, struct rules *rules,
                     const struct store_start *start, struct moment now);
void permits_note(struct permits *p, uint32_t permit, const char *by, struct moment now);

#endif
