#include "plant/timers.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int64_t timers_now(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool timers_create(struct timers *timers, size_t capacity)
{
    *timers = (struct timers){.capacity = capacity, .fd = -1};
    timers->heap = calloc(capacity, sizeof(*timers->heap));
    if (timers->heap == NULL)
        return false;
    timers->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return timers->fd >= 0;
}

void timers_destroy(struct timers *timers)
{
    free(timers->heap);
    timers->heap = NULL;
    if (timers->fd >= 0)
        (void)close(timers->fd);
    timers->fd = -1;
}

bool timers_add(struct timers *timers, const struct timer *timer)
{
    if (timers->count == timers->capacity)
        return false;
    size_t at = timers->count++;
    while (at > 0 && timers->heap[(at - 1) / 2].due_us > timer->due_us) {
        timers->heap[at] = timers->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    timers->heap[at] = *timer;
    return true;
}

bool timers_take(struct timers *timers, int64_t now_us, struct timer *timer)
{
    if (timers->count == 0 || timers->heap[0].due_us > now_us)
        return false;
    *timer = timers->heap[0];
    struct timer last = timers->heap[--timers->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && timers->heap[child + 1].due_us < timers->heap[child].due_us)
            child++;
        if (timers->heap[child].due_us >= last.due_us)
            break;
        timers->heap[at] = timers->heap[child];
        at = child;
    }
    timers->heap[at] = last;
    return true;
}

void timers_arm(struct timers *timers)
{
    int64_t due_us = timers->count > 0 ? timers->heap[0].due_us : 0;
    if (due_us == timers->armed_us)
        return;
    struct itimerspec spec = {0};
    spec.it_value.tv_sec = (time_t)(due_us / 1000000);
    spec.it_value.tv_nsec = (long)(due_us % 1000000 * 1000);
    if (timerfd_settime(timers->fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
        timers->armed_us = due_us;
}
