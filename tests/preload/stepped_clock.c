/* A system clock that is set while a real program runs, and that the kernel calls synchronised or not, without touching the machine's: every
 * way in which the program and its libraries can ask for the time of day is answered here. Loaded by LD_PRELOAD; RG_CLOCK_FILE names a
 * file of two native int64: nanoseconds that the wall clock is ahead, and whether it is synchronised. Whoever writes them sets the clock.
 *
 * Waits of libraries until an instant of the time of day (Paho's threads do that) end, as the kernel's own do, when the clock has come there,
 * so a clock put back makes them longer. The monotonic clock is the machine's. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 20000000 /* how late a wait sees that the clock was set */
#define SECOND_NS INT64_C(1000000000)

struct setting {
    _Atomic int64_t ahead_ns, synced;
};

static const struct setting *setting;

__attribute__((constructor)) static void open_setting(void)
{
    const char *path = getenv("RG_CLOCK_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *setting, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0)
        (void)close(fd);
    if (at != MAP_FAILED)
        setting = at;
    else if (path)
        abort(); /* a test that believes its clock is stepped must not go on without it */
}

static int64_t ahead_ns(void)
{
    return setting ? setting->ahead_ns : 0;
}

static int64_t kernel_ns(clockid_t id)
{
    struct timespec now = {0, 0};

    (void)syscall(SYS_clock_gettime, id, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static struct timespec spec_of(int64_t ns)
{
    struct timespec spec = {.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)};

    if (spec.tv_nsec < 0) {
        spec.tv_nsec += (long)SECOND_NS;
        spec.tv_sec--;
    }
    return spec;
}

static int64_t wall_ns(void)
{
    return kernel_ns(CLOCK_REALTIME) + ahead_ns();
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)
        return (int)syscall(SYS_clock_gettime, id, out);
    *out = spec_of(wall_ns());
    return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec now = spec_of(wall_ns());

    (void)zone;
    *tv = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    time_t now = spec_of(wall_ns()).tv_sec;

    if (out)
        *out = now;
    return now;
}

int adjtimex(struct timex *state)
{
    int rc = (int)syscall(SYS_adjtimex, state);

    if (!setting)
        return rc;
    state->status &= ~STA_UNSYNC;
    if (!setting->synced)
        state->status |= STA_UNSYNC;
    return setting->synced ? TIME_OK : TIME_ERROR;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    const unsigned monotonic = 2; /* glibc: the clock that the condition was made with */

    if (cond->__data.__wrefs & monotonic)
        return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, until);
    for (;;) {
        int64_t left = (int64_t)until->tv_sec * SECOND_NS + until->tv_nsec - wall_ns();
        struct timespec slice;
        int rc;

        if (left <= 0)
            return ETIMEDOUT;
        slice = spec_of(kernel_ns(CLOCK_MONOTONIC) + (left < SLICE_NS ? left : SLICE_NS));
        rc = pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &slice);
        if (rc != ETIMEDOUT)
            return rc;
    }
}
