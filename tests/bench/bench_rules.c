/* LINK rg_rules rg_test_support */
/* What one sample costs against ten rules: quiet, with delays that start and stop, and with alarms that come
 * and go. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

#define DEVICES 100
#define POINTS 100 /* of each device, in one frame */
#define RULES 10
#define ROUNDS 50

static void count_cb(void *arg, const struct alarm_change *change)
{
    uint64_t *count = arg;

    (void)change;
    (*count)++;
}

static char *make_text(const char *delays)
{
    size_t size = 64 + (size_t)DEVICES * (32 + (size_t)POINTS * 12) + RULES * 128;
    char *text = malloc(size), *at = text;

    if (!text)
        return NULL;
    for (int d = 0; d < DEVICES; d++) {
        at += snprintf(at, size - (size_t)(at - text), "device d%d offline=10s:yellow\n", d);
        for (int p = 0; p < POINTS; p++)
            at += snprintf(at, size - (size_t)(at - text), "point p%d\n", p);
    }
    for (int r = 0; r < RULES; r++)
        at += snprintf(at, size - (size_t)(at - text),
                       "rule r%d points=* above=blue:%d,yellow:20,orange:25,red:50 deadband=1%s\n", r, 10 + r,
                       delays);
    return text;
}

/* values: readings are uniform in [0, values). */
static int run(const char *what, const char *delays, double values)
{
    static struct sample samples[POINTS];
    char *text = make_text(delays);
    struct support_site s;
    struct rg_random random;
    struct rules *rules = NULL;
    uint64_t changes = 0;
    int64_t spent = 0, now = 0;

    if (!text)
        return 1;
    random_seed(&random, 1);
    support_site_build(&s, text);
    free(text);
    if (rules_create(&s.site, 1, count_cb, &changes, &rules) != RG_OK) {
        support_site_free(&s);
        return 1;
    }
    rules_start(rules, (struct moment){0, 0});
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t d = 0; d < DEVICES; d++) {
            struct frame frame = {
                .device = d, .at = {now, now}, .heard = true, .count = POINTS, .samples = samples};
            int64_t begin;

            for (uint32_t p = 0; p < POINTS; p++)
                samples[p] = (struct sample){.point = d * POINTS + p, .value = random_unit(&random) * values};
            begin = clock_mono_us();
            rules_frame(rules, &frame);
            spent += clock_mono_us() - begin;
            now += 10;
        }
    }
    printf("%-28s %7.1f ns a sample, %5.1f ns a rule, %" PRIu64 " transitions\n", what,
           (double)spent * 1000 / (ROUNDS * DEVICES * POINTS),
           (double)spent * 1000 / (ROUNDS * DEVICES * POINTS * RULES), changes);
    rules_destroy(rules);
    support_site_free(&s);
    return 0;
}

int main(void)
{
    printf("%d points, %d rules on each\n", DEVICES * POINTS, RULES);
    return run("quiet", " on=3s off=10s", 9) || run("delays start and stop", " on=3s off=10s", 11) ||
           run("alarms come and go", "", 60);
}
