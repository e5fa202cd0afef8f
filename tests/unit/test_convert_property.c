/* LINK rg_convert -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc */
/* Random sites and random frames against the plainest thing that could be right: everything worked out anew from the last
 * readings. And its memory: all of it taken at creation, all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "convert/convert.h"
#include "model/site_order.h"

#define DEVICES 4
#define POINTS 5 /* of each */
#define GROUPS 3
#define DERIVED 6 /* of each */
#define READ (DEVICES * POINTS)
#define ALL (READ + GROUPS * DERIVED)
#define OPERANDS 4
#define ROUNDS 300
#define FRAMES 60

static long allocations;
static long refuse_after = -1; /* this many succeed, then none; -1: never */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool refused(void)
{
    allocations++;
    return refuse_after >= 0 && allocations > refuse_after;
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return refused() ? NULL : __real_realloc(memory, size);
}

struct plan {
    struct rg_random random;
    struct site site;
    struct site_bus bus;
    struct site_device devices[DEVICES + GROUPS];
    struct site_point points[ALL];
    struct site_derived derived[ALL];
    struct site_operand operands[ALL][OPERANDS];
    char names[ALL][16];
    /* what the oracle knows */
    struct sample last[READ];
    bool told[ALL], wanted[ALL];
    struct sample got[ALL];
    uint64_t seed;
};

static uint32_t pick(struct plan *p, uint32_t below)
{
    return (uint32_t)(random_next(&p->random) % below);
}

/* Of what is read, or of derived points with a higher index only: never a circle, and not in the order of the indices. */
static void make_derived(struct plan *p, uint32_t point)
{
    struct site_derived *d = &p->derived[point];

    d->kind = (enum derive_kind)pick(p, DERIVE_MAX + 1);
    d->operand_count = 1 + pick(p, OPERANDS);
    d->operands = p->operands[point];
    for (size_t i = 0; i < d->operand_count; i++) {
        struct site_operand *o = &p->operands[point][i];

        *o = (struct site_operand){.point = SITE_NONE, .times = 1 + pick(p, 3), .plus = pick(p, 5)};
        if (pick(p, 3) == 0 && point + 1 < ALL)
            o->point = point + 1 + pick(p, ALL - point - 1);
        else if (i == 0 || pick(p, 8) != 0) /* one of numbers only would never be worked out */
            o->point = pick(p, READ);
    }
    p->points[point].derived = d;
}

static void make_site(struct plan *p, uint64_t seed)
{
    *p = (struct plan){.seed = seed, .bus = {.name = "b"}};
    random_seed(&p->random, seed);
    p->site = (struct site){.buses = &p->bus,
                            .bus_count = 1,
                            .devices = p->devices,
                            .device_count = DEVICES + GROUPS,
                            .points = p->points,
                            .point_count = ALL};
    for (uint32_t i = 0; i < DEVICES + GROUPS; i++)
        p->devices[i] =
            (struct site_device){.derived = i >= DEVICES,
                                 .bus = i >= DEVICES ? SITE_NONE : 0,
                                 .first_point = i < DEVICES ? i * POINTS : READ + (i - DEVICES) * DERIVED,
                                 .point_count = i < DEVICES ? POINTS : DERIVED};
    for (uint32_t i = 0; i < ALL; i++) {
        (void)snprintf(p->names[i], sizeof p->names[i], "d.p%u", i);
        p->points[i] = (struct site_point){.full_name = p->names[i],
                                           .device = i < READ ? i / POINTS : DEVICES + (i - READ) / DERIVED,
                                           .scaling = {1, 0, 1},
                                           .has_range = i >= READ && pick(p, 4) == 0,
                                           .range_min = -1000,
                                           .range_max = 100};
        if (i < READ)
            p->last[i] = (struct sample){.point = i, .quality = QUALITY_STALE};
    }
    for (uint32_t i = ALL; i-- > READ;)
        make_derived(p, i);
}

/* ---- the oracle: by the definitions, without any order or memory ---- */

static struct sample value_of(const struct plan *p, uint32_t point);

static struct sample worked_out(const struct plan *p, uint32_t point)
{
    const struct site_derived *d = p->points[point].derived;
    struct sample out = {.point = point};
    double v[OPERANDS] = {0}, rest = 0, all, least, most;

    for (size_t i = 0; i < d->operand_count; i++) {
        const struct site_operand *o = &d->operands[i];
        struct sample s = o->point == SITE_NONE ? (struct sample){.value = 0} : value_of(p, o->point);

        if (s.quality != QUALITY_GOOD) {
            out.quality = s.quality;
            return out;
        }
        v[i] = o->point == SITE_NONE ? o->plus : s.value * o->times + o->plus;
    }
    all = least = most = v[0];
    for (size_t i = 1; i < d->operand_count; i++) {
        rest += v[i];
        all += v[i];
        least = v[i] < least ? v[i] : least;
        most = v[i] > most ? v[i] : most;
    }
    out.value = d->kind == DERIVE_DIFFERENCE ? v[0] - rest
                : d->kind == DERIVE_SUM      ? all
                : d->kind == DERIVE_MEAN     ? all / (double)d->operand_count
                : d->kind == DERIVE_MIN      ? least
                                             : most;
    if (p->points[point].has_range && (out.value < -1000 || out.value > 100))
        out = (struct sample){.point = point, .quality = QUALITY_RANGE};
    return out;
}

static struct sample value_of(const struct plan *p, uint32_t point)
{
    return point < READ ? p->last[point] : worked_out(p, point);
}

/* The derived points above a point. */
static void want_users(struct plan *p, uint32_t point)
{
    for (uint32_t i = READ; i < ALL; i++) {
        for (size_t k = 0; k < p->derived[i].operand_count; k++) {
            if (p->operands[i][k].point != point || p->wanted[i])
                continue;
            p->wanted[i] = true;
            want_users(p, i);
        }
    }
}

static void told_cb(void *arg, const struct frame *frame)
{
    struct plan *p = arg;

    assert_true(frame->count > 0);
    for (size_t i = 0; i < frame->count; i++) {
        uint32_t point = frame->samples[i].point;

        assert_int_equal(p->points[point].device, frame->device);
        assert_false(p->told[point]); /* once each */
        p->told[point] = true;
        p->got[point] = frame->samples[i];
    }
}

static void feed_one(struct plan *p, struct convert *c)
{
    struct sample samples[POINTS];
    uint32_t device = pick(p, DEVICES);
    struct frame frame = {.device = device, .samples = samples};

    memset(p->told, 0, sizeof p->told);
    memset(p->wanted, 0, sizeof p->wanted);
    for (uint32_t i = 0; i < POINTS; i++) {
        uint32_t point = device * POINTS + i;

        if (pick(p, 3) == 0 && (frame.count > 0 || i + 1 < POINTS))
            continue;
        p->last[point] = (struct sample){.point = point};
        if (pick(p, 5) == 0)
            p->last[point].quality = (enum quality)(1 + pick(p, QUALITY_COUNT - 1));
        else
            p->last[point].value = pick(p, 40);
        samples[frame.count++] = p->last[point];
        p->wanted[point] = true;
        want_users(p, point);
    }
    convert_frame(c, &frame, told_cb, p);
    for (uint32_t i = 0; i < ALL; i++) {
        struct sample wanted;

        if (p->told[i] != p->wanted[i])
            fail_msg("seed %llu: point %u told %d, wanted %d", (unsigned long long)p->seed, i, p->told[i],
                     p->wanted[i]);
        if (!p->told[i])
            continue;
        wanted = value_of(p, i);
        if (p->got[i].quality != wanted.quality || !(p->got[i].value == wanted.value))
            fail_msg("seed %llu: point %u is %s %.17g, wanted %s %.17g", (unsigned long long)p->seed, i,
                     quality_name(p->got[i].quality), p->got[i].value, quality_name(wanted.quality),
                     wanted.value);
    }
}

static void random_sites(void **state)
{
    struct plan *p = malloc(sizeof *p);
    uint64_t deep = 0;

    (void)state;
    assert_non_null(p);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint32_t level[ALL];
        struct convert *c;
        long before;

        make_site(p, seed);
        assert_int_equal(site_order(&p->site, level), RG_OK);
        for (uint32_t i = READ; i < ALL; i++)
            deep += level[i] > 3;
        assert_int_equal(convert_create(&p->site, &c), RG_OK);
        before = allocations;
        for (unsigned i = 0; i < FRAMES; i++)
            feed_one(p, c);
        assert_int_equal(allocations, before); /* none while it works */
        convert_destroy(c);
    }
    assert_true(deep > ROUNDS); /* the seeds do make points upon points */
    free(p);
}

/* Each allocation that fails leaves nothing behind, and a reload then takes nothing over. */
static void memory_that_is_not_there(void **state)
{
    struct plan *p = malloc(sizeof *p);
    struct convert *c = NULL, *from = NULL;
    enum rg_err err = RG_ENOMEM;
    long steps = 0;

    (void)state;
    assert_non_null(p);
    make_site(p, 7);
    for (; err != RG_OK; steps++) {
        assert_true(steps < 100);
        allocations = 0;
        refuse_after = steps;
        err = convert_create(&p->site, &c);
        refuse_after = -1;
        assert_true(err == RG_OK || (err == RG_ENOMEM && c == NULL));
    }
    assert_true(steps > 5);
    assert_int_equal(convert_create(&p->site, &from), RG_OK);
    feed_one(p, from);
    for (err = RG_ENOMEM, steps = 0; err != RG_OK; steps++) {
        assert_true(steps < 100);
        allocations = 0;
        refuse_after = steps;
        err = convert_inherit(c, from);
        refuse_after = -1;
        assert_true(err == RG_OK || err == RG_ENOMEM);
    }
    assert_true(steps > 1);
    convert_destroy(from);
    for (unsigned i = 0; i < FRAMES; i++)
        feed_one(p, c); /* the oracle knows of the frame before: so does the one that took over */
    convert_destroy(c);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_sites),
                                       cmocka_unit_test(memory_that_is_not_there)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
