/* LINK rg_rules rg_test_support */
/* What one sample costs against ten rules of its point: what readings do, what rules look at, and how it grows from 10 to
 * 100,000 points; and against the three rules of tests/bench/run, with the memory that a point takes. Arguments: the number of
 * samples of each row (2,000,000 when there is none); which part: kinds, mixed or
 * three (all of them). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

#define RULES 10
#define FRAME 100 /* points of a device, all in one frame */
#define POLL_MS 10000
#define TEXT_MAX 512
#define NAMED                                                                                                \
    10000 /* in larger sites nothing names another point: to find it would take the bench for ever */

struct workload {
    const char *what;
    const char *rule; /* of each of the ten, behind its points; NULL: mixed */
    double values;    /* readings are uniform in [0, values) */
};

#define STEPS "above=blue:10,yellow:20,orange:25,red:50 deadband=1"

static const struct workload workloads[] = {
    {"quiet", STEPS " on=20s off=60s", 9.9},
    {"delays start and stop", STEPS " on=20s off=60s", 11},
    {"alarms come and go", STEPS, 60},
    {"mixed", NULL, 11},
    {"means of 5 minutes", "mean=5m " STEPS, 18},
    {"highest of 5 minutes", "max=5m " STEPS, 9.9},
    {"rates of 5 minutes", "rate=5m above=blue:40,red:100", 18},
    {"guarded", "when=.p0>0 " STEPS " on=20s off=60s", 11},
    {"limits that follow", "above=blue:@.p0+8,red:@.p0+20 deadband=1 on=20s off=60s", 11},
};

/* What a careful plant has on one detector: seven rules of the reading, of which one is guarded, one latches and one follows another
 * point, and three that look back. */
static const char *const mixed[RULES] = {
    STEPS " on=20s off=60s",
    STEPS " on=20s off=60s latch=orange",
    "below=yellow:-1,red:-5",
    "is=999:red,998:orange",
    "when=.p0>0 " STEPS " on=20s",
    "above=blue:@.p0+8,red:@.p0+20 deadband=1 on=20s",
    "above=red:50",
    "mean=1m above=yellow:30",
    "max=1m above=blue:10.9",
    "rate=2m above=orange:40",
};

/* Those of tests/bench/run: no alarm, and of two readings in ten a delay runs. */
static const char *const three[] = {
    "above=yellow:60000,red:64000 deadband=100",
    "below=red:-1",
    "above=blue:45000 on=200s",
};

struct result {
    double sample_ns;
    uint64_t changes;
    size_t memory; /* bytes that the engine uses in the end */
};

static void count_cb(void *arg, const struct alarm_change *change)
{
    uint64_t *count = arg;

    (void)change;
    (*count)++;
}

static void *must(void *memory)
{
    if (!memory) {
        (void)fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

/* So many points in frames of at most FRAME, each doubted as a configuration does by itself; room for so many rules. */
static char *make_points(size_t points, size_t rules, char **at, char **end)
{
    size_t size = 64 + points * 40 + (points / FRAME + 1) * 64 + rules * (TEXT_MAX + 64);
    char *text = must(malloc(size));

    *at = text;
    *end = text + size;
    for (size_t p = 0; p < points; p++) {
        if (p % FRAME == 0)
            *at +=
                snprintf(*at, (size_t)(*end - *at), "device d%zu poll=10s offline=100s:yellow\n", p / FRAME);
        *at += snprintf(*at, (size_t)(*end - *at), "point p%zu doubt=10s:yellow\n", p % FRAME);
    }
    return text;
}

/* Ten rules on each point. */
static char *make_text(const char *rule, size_t points)
{
    char *at, *end, *text = make_points(points, RULES, &at, &end);

    for (int r = 0; r < RULES; r++)
        at += snprintf(at, (size_t)(end - at), "rule r%d points=* %s\n", r,
                       rule                                          ? rule
                       : points <= NAMED || !strstr(mixed[r], ".p0") ? mixed[r]
                                                                     : STEPS);
    return text;
}

static char *make_three(size_t points)
{
    char *at, *end, *text = make_points(points, RG_COUNT(three), &at, &end);

    for (size_t r = 0; r < RG_COUNT(three); r++)
        at += snprintf(at, (size_t)(end - at), "rule r%zu points=* %s\n", r, three[r]);
    return text;
}

/* Of this thread alone: what others do meanwhile on a shared machine is left out. */
static double cpu_ns(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        exit(1);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Feeds one frame of each device after another, as polls of a second do, in so many rounds; making up the readings is
 * part of what is measured. */
static double play(struct rules *rules, size_t points, double values, uint64_t rounds)
{
    static struct sample samples[FRAME];
    struct rg_random random;
    double begin = cpu_ns();

    random_seed(&random, 1);
    for (uint64_t round = 0; round < rounds; round++) {
        for (size_t first = 0; first < points; first += FRAME) {
            size_t count = points - first < FRAME ? points - first : FRAME;
            struct frame frame = {.device = (uint32_t)(first / FRAME),
                                  .at = {(int64_t)round * POLL_MS, (int64_t)round * POLL_MS},
                                  .heard = true,
                                  .count = count,
                                  .samples = samples};

            for (size_t p = 0; p < count; p++)
                samples[p] =
                    (struct sample){.point = (uint32_t)(first + p), .value = random_unit(&random) * values};
            rules_frame(rules, &frame);
        }
    }
    return cpu_ns() - begin;
}

/* Bytes that the process has in memory. */
static size_t resident(void)
{
    unsigned long all = 0, pages = 0;
    FILE *f = must(fopen("/proc/self/statm", "r"));

    if (fscanf(f, "%lu %lu", &all, &pages) != 2)
        exit(1);
    (void)fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* text: the site, to be freed here; values: readings are uniform in [0, values). */
static struct result run(char *text, double values, size_t points, uint64_t samples)
{
    struct result result = {0};
    struct support_site s;
    struct rules *rules = NULL;
    uint64_t rounds = samples / points + (samples % points ? 1 : 0);
    size_t before;

    support_site_build(&s, text);
    free(text);
    memory_give_back();
    before = resident();
    if (rules_create(&s.site, 1, count_cb, &result.changes, &rules) != RG_OK)
        (void)must(NULL);
    rules_start(rules, (struct moment){0, 0});
    result.sample_ns = play(rules, points, values, rounds) / ((double)rounds * (double)points);
    result.memory = resident() - before;
    rules_destroy(rules);
    support_site_free(&s);
    return result;
}

static void kinds(uint64_t samples)
{
    printf("1,000 points, %d rules on each\n", RULES);
    for (size_t i = 0; i < RG_COUNT(workloads); i++) {
        struct result r = run(make_text(workloads[i].rule, 1000), workloads[i].values, 1000, samples);

        printf("%-28s %7.1f ns a sample, %5.1f ns a rule, %" PRIu64 " transitions\n", workloads[i].what,
               r.sample_ns, r.sample_ns / RULES, r.changes);
    }
}

static void mixed_by_points(uint64_t samples)
{
    static const size_t sizes[] = {10, 100, 1000, 10000, 100000};

    printf("\n%d rules on each point, mixed\n", RULES);
    for (size_t i = 0; i < RG_COUNT(sizes); i++) {
        struct result r = run(make_text(NULL, sizes[i]), 11, sizes[i], samples);

        printf("%7zu points  %7.1f ns a sample, %8.2f MiB\n", sizes[i], r.sample_ns,
               (double)r.memory / (1024 * 1024));
    }
}

static void three_by_points(uint64_t samples)
{
    static const size_t sizes[] = {1000, 10000, 100000};

    printf("\n%zu rules on each point, as in tests/bench/run\n", RG_COUNT(three));
    for (size_t i = 0; i < RG_COUNT(sizes); i++) {
        struct result r = run(make_three(sizes[i]), 58000, sizes[i], samples);

        printf("%7zu points  %7.1f ns a sample, %8.2f MiB, %6.1f bytes a point, %" PRIu64 " transitions\n",
               sizes[i], r.sample_ns, (double)r.memory / (1024 * 1024), (double)r.memory / (double)sizes[i],
               r.changes);
    }
}

int main(int argc, char **argv)
{
    const char *part = argc > 2 ? argv[2] : NULL;
    uint64_t samples = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;

    memory_setup(); /* as the daemon does */
    if (!part || strcmp(part, "kinds") == 0)
        kinds(samples);
    if (!part || strcmp(part, "mixed") == 0)
        mixed_by_points(samples);
    if (!part || strcmp(part, "three") == 0)
        three_by_points(samples);
    return 0;
}
