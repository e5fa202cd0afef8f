/* riskgate-clock FILE: tells a daemon that may not ask, once a second, whether the kernel calls the clock synchronised. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/clock_told.h"
#include "base/log.h"
#include "service/notify.h"

static void tell(clock_told *told)
{
    clock_told_put(told, clock_mono_ms(), clock_synced());
}

/* Until SIGTERM or SIGINT, which are blocked and waited for instead of a sleep. */
static int tell_on(clock_told *told)
{
    const struct timespec every = {.tv_sec = CLOCK_TOLD_EVERY_MS / 1000};
    sigset_t ends;
    bool ready; /* the manager knows; by hand nobody listens */
    int got, why;

    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    if (sigprocmask(SIG_BLOCK, &ends, NULL) != 0) {
        log_error("cannot wait for signals: %s", strerror(errno));
        return 1;
    }
    tell(told);
    ready = notify_send("READY=1") != RG_EAGAIN;
    do {
        got = sigtimedwait(&ends, NULL, &every);
        why = errno;
        tell(told);
        ready = ready || notify_send("READY=1") != RG_EAGAIN;
        (void)notify_send("WATCHDOG=1");
    } while (got < 0 && (why == EAGAIN || why == EINTR));
    return 0;
}

int main(int argc, char **argv)
{
    clock_told *told;
    int status;

    if (argc != 2 || argv[1][0] == '-') {
        (void)fputs("usage: riskgate-clock FILE\n", stderr);
        return 2;
    }
    if (clock_told_create(argv[1], &told) != RG_OK) {
        log_error("cannot write %s: %s", argv[1], strerror(errno));
        return 1;
    }
    status = tell_on(told);
    clock_told_close(told);
    return status;
}
