/* LINK rg_base */
/* How late the kernel wakes who waits for an instant, which is what is left of a poll's lateness when nothing else is: epoll_wait, on which
 * libuv's timers rest, with a time-out; with the thread's timer slack as it is (50 us) and as small as can be; and a timerfd, which has none of
 * the thousandth of the time-out that the kernel allows itself for poll, select and epoll (select_estimate_accuracy in fs/select.c). Each in a
 * thread of its own, all at once, for the slack is a thread's. Prints microseconds. */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MOST 1000
#define TOTAL_MS 10000 /* of each way to wait */

enum how { HOW_DEFAULT, HOW_LEAST_SLACK, HOW_TIMERFD, HOW_COUNT };
static const char *const names[HOW_COUNT] = {"epoll_wait", "the same, timer slack 1 ns", "timerfd"};
static const int64_t waits_ms[] = {10, 100, 1000};
#define WAITS ((size_t)3)

struct waiter {
    enum how how;
    int64_t wait_ms;
    bool failed;
    size_t count;
    int64_t late_ns[MOST];
};

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int compare(const void *one, const void *other)
{
    const int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

    return a < b ? -1 : a > b;
}

static bool wait_once(const struct waiter *w, int queue, int timer)
{
    const struct itimerspec in = {
        .it_value = {.tv_sec = (time_t)(w->wait_ms / 1000), .tv_nsec = (long)(w->wait_ms % 1000 * 1000000)}};
    struct epoll_event event;
    uint64_t ticks;

    if (w->how != HOW_TIMERFD)
        return epoll_wait(queue, &event, 1, (int)w->wait_ms) == 0;
    return timerfd_settime(timer, 0, &in, NULL) == 0 && epoll_wait(queue, &event, 1, -1) == 1 &&
           read(timer, &ticks, sizeof ticks) == (ssize_t)sizeof ticks;
}

static void *run(void *arg)
{
    struct waiter *w = arg;
    struct epoll_event event = {.events = EPOLLIN};
    const int queue = epoll_create1(EPOLL_CLOEXEC);
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    w->failed = queue < 0 || timer < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, timer, &event) != 0 ||
                (w->how == HOW_LEAST_SLACK && prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) != 0);
    for (int64_t spent_ms = 0; !w->failed && spent_ms < TOTAL_MS && w->count < MOST; spent_ms += w->wait_ms) {
        const int64_t from = now_ns();

        w->failed = !wait_once(w, queue, timer);
        w->late_ns[w->count++] = now_ns() - from - w->wait_ms * 1000000;
    }
    if (timer >= 0)
        (void)close(timer);
    if (queue >= 0)
        (void)close(queue);
    return NULL;
}

int main(void)
{
    static struct waiter waiters[HOW_COUNT][WAITS];
    pthread_t threads[HOW_COUNT][WAITS];

    for (size_t how = 0; how < HOW_COUNT; how++)
        for (size_t i = 0; i < WAITS; i++) {
            waiters[how][i] = (struct waiter){.how = (enum how)how, .wait_ms = waits_ms[i]};
            if (pthread_create(&threads[how][i], NULL, run, &waiters[how][i]) != 0) {
                (void)fputs("bench_timer: no thread\n", stderr);
                return 1;
            }
        }
    (void)printf("%-28s%10s%10s%10s%10s\n", "late by, us", "wait, ms", "least", "p50", "most");
    for (size_t how = 0; how < HOW_COUNT; how++)
        for (size_t i = 0; i < WAITS; i++) {
            struct waiter *w = &waiters[how][i];

            (void)pthread_join(threads[how][i], NULL);
            if (w->failed || w->count == 0) {
                (void)fprintf(stderr, "bench_timer: %s failed\n", names[how]);
                return 1;
            }
            qsort(w->late_ns, w->count, sizeof w->late_ns[0], compare);
            (void)printf("%-28s%10" PRId64 "%10.0f%10.0f%10.0f\n", names[how], w->wait_ms,
                         (double)w->late_ns[0] / 1e3, (double)w->late_ns[w->count / 2] / 1e3,
                         (double)w->late_ns[w->count - 1] / 1e3);
        }
    return 0;
}
