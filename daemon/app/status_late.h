/* The loop's lateness, for several who look at it: asking takes it away from the loop, and none may take it from another. */
#ifndef RG_APP_STATUS_LATE_H
#define RG_APP_STATUS_LATE_H

#include "loop/loop.h"

enum status_reader { STATUS_PEOPLE, STATUS_METRICS, STATUS_FILE, STATUS_READERS };

struct status_late {
    int64_t max_ms[STATUS_READERS]; /* since each looked last */
};

/* The longest since this reader looked last, ms. */
static inline int64_t status_late_take(struct status_late *late, struct loop *loop, enum status_reader who)
{
    int64_t now_ms = loop_late_max_ms(loop), taken;

    for (int i = 0; i < STATUS_READERS; i++) {
        if (late->max_ms[i] < now_ms)
            late->max_ms[i] = now_ms;
    }
    taken = late->max_ms[who];
    late->max_ms[who] = 0;
    return taken;
}

#endif
