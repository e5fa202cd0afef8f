/* Things that are due later: a bounded heap, earliest first, behind one timerfd. */
#ifndef RG_PLANT_TIMERS_H
#define RG_PLANT_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum timer_kind {
    TIMER_ANSWER, /* index: an answer waiting in the pool */
    TIMER_IDLE,   /* index: a link whose line may have fallen silent */
    TIMER_REFUSE, /* look whether listeners open or close */
};

struct timer {
    int64_t due_us; /* CLOCK_MONOTONIC */
    enum timer_kind kind;
    uint32_t index;
    uint32_t generation; /* of the link, so that a timer of a closed one is known */
};

struct timers {
    struct timer *heap;
    size_t count, capacity;
    int fd;           /* readable when the first is due */
    int64_t armed_us; /* 0: not armed */
};

bool timers_create(struct timers *timers, size_t capacity); /* false: errno tells */
void timers_destroy(struct timers *timers);
bool timers_add(struct timers *timers, const struct timer *timer); /* false: full */
/* Takes the first that is due at now. */
bool timers_take(struct timers *timers, int64_t now_us, struct timer *timer);
void timers_arm(struct timers *timers); /* to be called before waiting */
int64_t timers_now(void);               /* CLOCK_MONOTONIC in microseconds */

#endif
