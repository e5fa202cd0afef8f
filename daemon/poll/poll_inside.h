/* Inside poll/: the whole, for poll.c and follow.c. */
#ifndef RG_POLL_POLL_INSIDE_H
#define RG_POLL_POLL_INSIDE_H

#include "poll/bus.h"

struct poll {
    struct bus_context context;
    struct unit **units; /* by device index; before poll_take those that go on are borrowed from `from` */
    struct bus **buses;  /* by bus index; likewise */
    struct bus *leaving; /* buses that were removed and whose threads have not come to an end yet */
    uint64_t next_bus_id;
    /* From poll_create_from on; else NULL. */
    struct poll *from; /* until poll_take */
    uint32_t
        *bus_was; /* [site.bus_count] index in the site before, or SITE_NONE: a new one, or it has changed */
    uint32_t *device_was;   /* [site.device_count] likewise */
    uint32_t *device_now;   /* [device_count of the site before] the other way round */
    size_t before_count;    /* of those */
    struct bus_room *rooms; /* [site.bus_count] for the buses that go on, until poll_take */
};

/* ---- follow.c ---- */

/* Which buses and devices of `from` go on in p, whose site is set. RG_ENOMEM. */
RG_NODISCARD enum rg_err poll_match(struct poll *p, struct poll *from);
void poll_follow_free(struct poll *p); /* undoes it; takes a poll without */

#endif
