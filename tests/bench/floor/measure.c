#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

void measure_need(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fflush(stdout);
    (void)fprintf(stderr, "bench_floor: %s\n", what);
    exit(1);
}

long measure_number(const char *text, const char *what)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    measure_need(errno == 0 && *text != '\0' && *end == '\0' && number >= 1, what);
    return number;
}

struct measure_moment measure_now(void)
{
    struct rusage usage;
    struct timespec now;

    measure_need(getrusage(RUSAGE_SELF, &usage) == 0 && clock_gettime(CLOCK_MONOTONIC, &now) == 0,
                 "no clock");
    return (struct measure_moment){
        .mono_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
        .user_us = (int64_t)usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec,
        .system_us = (int64_t)usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec,
    };
}

struct measure_moment measure_since(struct measure_moment begin)
{
    struct measure_moment now = measure_now();

    now.mono_us -= begin.mono_us;
    now.user_us -= begin.user_us;
    now.system_us -= begin.system_us;
    return now;
}

void spread_create(struct measure_spread *spread)
{
    *spread = (struct measure_spread){.us = malloc(MEASURE_SPREAD_MAX * sizeof(float))};
    measure_need(spread->us != NULL, "out of memory");
}

void spread_destroy(struct measure_spread *spread)
{
    free(spread->us);
    *spread = (struct measure_spread){0};
}

void spread_add(struct measure_spread *spread, int64_t us)
{
    if (spread->count < MEASURE_SPREAD_MAX)
        spread->us[spread->count++] = (float)us;
}

static int by_size(const void *a, const void *b)
{
    const float *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double at(const struct measure_spread *spread, size_t per_mille)
{
    size_t i = spread->count * per_mille / 1000;

    if (spread->count == 0)
        return 0;
    return (double)spread->us[i < spread->count ? i : spread->count - 1] / 1000;
}

void spread_print(struct measure_spread *spread, const char *name)
{
    qsort(spread->us, spread->count, sizeof(float), by_size);
    (void)printf("\"%s\":{\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}", name, at(spread, 500),
                 at(spread, 990), at(spread, 1000));
}
