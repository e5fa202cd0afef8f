/* LINK rg_record rg_test_support */
/* Thinning against a naive model that remembers everything, with random pasts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "record/thin.h"
#include "support_site.h"

#define BEGIN 1000000

#define POINTS 4
#define STEPS 4000

struct kept {
    int64_t ms, turn;
    uint32_t first, count; /* of the points of its device */
    double values[2];
    enum quality quality[2];
    bool heard, recorded, gone;
};

struct model {
    struct kept all[STEPS];
    size_t count;
    unsigned alarms;
    int64_t keep_until;
};

static const struct kept *last_of(const struct model *m, uint32_t point, uint32_t *at)
{
    const struct kept *best = NULL;

    for (size_t i = 0; i < m->count; i++) {
        const struct kept *k = &m->all[i];

        if (k->recorded && point >= k->first && point < k->first + k->count && (!best || k->ms >= best->ms)) {
            best = k;
            *at = point - k->first;
        }
    }
    return best;
}

static bool model_wants(const struct model *m, const struct kept *k)
{
    if (m->alarms > 0 || k->ms <= m->keep_until)
        return true;
    for (uint32_t i = 0; i < k->count; i++) {
        uint32_t at = 0;
        const struct kept *last = last_of(m, k->first + i, &at);

        if (!last || k->ms - last->ms >= 20000 - 500 || last->quality[at] != k->quality[i] ||
            last->heard != k->heard)
            return true;
        if (k->quality[i] == QUALITY_GOOD &&
            (k->values[i] - last->values[at] > 2.01 || last->values[at] - k->values[i] > 2.01))
            return true;
    }
    return false;
}

static char wanted[STEPS * 24], found[STEPS * 24];

static bool note_cb(void *arg, const struct frame *frame, int64_t turn)
{
    size_t used = strlen(found);

    (void)arg;
    (void)snprintf(found + used, sizeof found - used, "[%d %d] ", (int)turn,
                   (int)(frame->at.mono_ms - BEGIN));
    return true;
}

static void play(uint64_t seed)
{
    static struct model m;
    struct support_site site;
    struct thin *thin;
    struct rg_random random;
    int64_t ms = 0;
    double values[POINTS] = {0};
    enum quality quality[POINTS] = {QUALITY_GOOD};

    memset(&m, 0, sizeof m);
    m.keep_until = INT64_MIN;
    wanted[0] = found[0] = '\0';
    random_seed(&random, seed);
    support_site_build(
        &site, "device d poll=1s record=20s:5s\npoint a change=2\npoint b change=2\npoint c change=2\n"
               "point e change=2\nrule r points=d.a above=red:50\n");
    assert_int_equal(thin_create(&site.site, &thin), RG_OK);
    while (m.count < 600) {
        struct kept *k = &m.all[m.count];
        struct sample samples[2];
        char text[64];
        struct alarm alarm = {.rule = "r", .point = "d.a"};
        struct frame frame;

        ms += 1 + (int64_t)random_below(&random, 1200);
        if (random_below(&random, 60) == 0 || (m.alarms > 0 && random_below(&random, 10) == 0)) {
            bool raise = m.alarms == 0 || random_below(&random, 3) == 0;

            thin_change(thin, &(struct alarm_change){.event = raise ? ALARM_RAISE : ALARM_CLEAR,
                                                     .at = {BEGIN + ms, ms},
                                                     .alarm = &alarm});
            m.alarms += raise ? 1 : -1u;
            if (!raise && m.alarms == 0)
                m.keep_until = ms + 5000;
            for (size_t i = 0; raise && i < m.count; i++) {
                struct kept *h = &m.all[i];

                if (h->recorded || ms - h->ms > 5000)
                    continue;
                h->recorded = true;
                (void)snprintf(wanted + strlen(wanted), 64, "[%d %d] ", (int)h->turn, (int)h->ms);
            }
            thin_release(thin, note_cb, NULL);
            continue;
        }
        *k = (struct kept){.ms = ms,
                           .turn = (int64_t)m.count + 1,
                           .first = (uint32_t)random_below(&random, 3),
                           .count = 1 + (uint32_t)random_below(&random, 2),
                           .heard = random_below(&random, 30) > 0};
        for (uint32_t i = 0; i < k->count; i++) {
            uint32_t p = k->first + i;

            values[p] += (double)random_below(&random, 11) / 10 - 0.5;
            if (random_below(&random, 25) == 0)
                quality[p] = quality[p] == QUALITY_GOOD ? QUALITY_SENSOR : QUALITY_GOOD;
            k->values[i] = values[p];
            k->quality[i] = quality[p];
            samples[i] = (struct sample){.point = p, .quality = quality[p], .value = values[p]};
        }
        m.count++;
        frame =
            (struct frame){.at = {BEGIN + ms, ms}, .heard = k->heard, .count = k->count, .samples = samples};
        k->recorded = model_wants(&m, k);
        (void)snprintf(text, sizeof text, "%d ", (int)k->turn);
        if (k->recorded)
            (void)snprintf(wanted + strlen(wanted), 64, "%s", text);
        switch (thin_frame(thin, &frame)) {
        case THIN_RECORD:
            (void)snprintf(found + strlen(found), 64, "%s", text);
            break;
        case THIN_HOLD:
            thin_hold(thin, &frame, k->turn);
            break;
        case THIN_DROP:
            fail();
        }
    }
    if (strcmp(wanted, found) != 0)
        print_error("seed %llu\n", (unsigned long long)seed);
    assert_string_equal(found, wanted);
    thin_destroy(thin);
    support_site_free(&site);
}

static void test_property(void **state)
{
    const char *given = getenv("RG_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : 1;

    (void)state;
    print_message("seeds %llu to %llu\n", (unsigned long long)first, (unsigned long long)first + 19);
    for (uint64_t seed = first; seed < first + 20; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_property)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
