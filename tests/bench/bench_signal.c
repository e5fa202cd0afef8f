/* LINK rg_rules */
/* What a sample costs a signal: each kind, and windows from a hundred samples to a hundred thousand. The cost must not grow
 * with the window; the longest sample shows what a turn of the window (cells.h) takes at once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "rules/signal.h"

#define SAMPLES 1000000
#define READY 4096 /* readings, made up beforehand */
#define POLL_MS 1000
#define RUNS 50

static double cpu_ns(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        exit(1);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Of samples one by one: the longest, the clock's own time included. Of several runs the least, for interrupts count as
 * well. */
static double longest_ns(struct signal *s, const struct sample *samples, int64_t now_ms, int64_t count)
{
    double least = 1e12;

    for (int run = 0; run < RUNS; run++, now_ms += count * POLL_MS) {
        double longest = 0;

        for (int64_t i = 0; i < count; i++) {
            double begin = cpu_ns(), took;

            (void)signal_sample(s, &samples[i % READY], now_ms + i * POLL_MS);
            took = cpu_ns() - begin;
            longest = took > longest ? took : longest;
        }
        least = longest < least ? longest : least;
    }
    return least;
}

static void run(enum signal_kind kind, int64_t polls)
{
    static struct sample samples[READY];
    static struct cell cells[SIGNAL_CELLS_MAX];
    struct site_signal conf = {.kind = kind, .window_ms = polls * POLL_MS, .coverage = 0.75};
    struct signal s;
    struct rg_random random;
    double begin, sum = 0, each;

    random_seed(&random, 1);
    for (int i = 0; i < READY; i++)
        samples[i].value = random_unit(&random) * 100;
    signal_init(&s, &conf, POLL_MS, false, cells);
    begin = cpu_ns();
    for (int64_t i = 0; i < SAMPLES; i++)
        sum += signal_sample(&s, &samples[i % READY], i * POLL_MS).value;
    each = (cpu_ns() - begin) / SAMPLES;
    printf("%-6s %7" PRId64 " polls, %4" PRIu32
           " cells, %6zu bytes: %6.1f ns a sample, %8.0f ns the longest%s\n",
           signal_name(kind), polls, s.window.capacity, s.window.capacity * sizeof *cells + sizeof s, each,
           longest_ns(&s, samples, SAMPLES * (int64_t)POLL_MS, 5000), sum < 0 ? " (none)" : "");
}

int main(void)
{
    static const int64_t polls[] = {100, 1000, 10000, 100000};

    for (enum signal_kind kind = SIGNAL_RATE; kind <= SIGNAL_FLAT; kind++)
        run(kind, 1000);
    puts("");
    for (size_t i = 0; i < sizeof polls / sizeof polls[0]; i++)
        run(SIGNAL_MEAN, polls[i]);
    return 0;
}
