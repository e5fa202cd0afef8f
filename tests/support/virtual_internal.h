/* What the virtual_*.c files share. */
#ifndef RG_TESTS_VIRTUAL_INTERNAL_H
#define RG_TESTS_VIRTUAL_INTERNAL_H

#include "virtual_loop.h"

/* Something that fires at an instant; part of a timer, a worker, a message, a signal. */
struct event {
    int64_t at_us;
    uint64_t order; /* of arming: settles what comes first at one instant */
    size_t place;   /* in the heap + 1; 0: not armed */
    void (*fire)(struct event *event);
    void *owner;
};

struct loop {
    int64_t mono_us;
    int64_t spent_us;       /* inside a worker's run_cb: what the job took so far */
    int64_t wall_offset_ms; /* wall less monotonic */
    bool in_job;
    bool synced;
    bool stopping;
    struct event **heap; /* binary, earliest first */
    size_t armed;
    size_t reserved; /* events that exist: the heap has a place for each */
    size_t capacity;
    uint64_t orders;
    uint64_t fired;
    size_t alive;
    int64_t late_max_ms;
    struct loop_signal *signals;
};

/* Places in the heap for so many more events, so that arming can never fail. */
RG_NODISCARD enum rg_err event_reserve(struct loop *loop, size_t events);
void event_release(struct loop *loop, size_t events);
/* Arms or re-arms. */
void event_arm(struct loop *loop, struct event *event, int64_t at_us);
void event_disarm(struct loop *loop, struct event *event);

#endif
