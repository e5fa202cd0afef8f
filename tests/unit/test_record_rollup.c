/* LINK rg_record rg_test_support */
/* Minute roll-ups against a naive sum of all readings: late frames, clocks that step, states, bad readings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "record/rollup.h"
#include "support_site.h"

#define MINUTE INT64_C(60000)
#define WALL (INT64_C(1763779980000)) /* a minute begins */

struct rig {
    struct support_site site;
    struct rollup *rollup;
    char out[4096];
    unsigned parts;
};

static void piece_cb(void *arg, const struct rollup_piece *piece)
{
    struct rig *r = arg;
    const struct rollup_row *rows = piece->rows;

    r->parts += piece->last;
    for (size_t i = 0; i < piece->count; i++) {
        size_t used = strlen(r->out);

        (void)snprintf(r->out + used, sizeof r->out - used, "%s@%d n%u bad%u %g..%g sum %g; ", rows[i].point,
                       (int)((rows[i].minute - WALL) / MINUTE), rows[i].n, rows[i].bad, rows[i].min,
                       rows[i].max, rows[i].sum);
    }
}

static void begin(struct rig *r)
{
    memset(r, 0, sizeof *r);
    support_site_build(&r->site, "device d\npoint a\npoint on coil=0\n");
    assert_int_equal(rollup_create(&r->site.site, &r->rollup), RG_OK);
}

static void end(struct rig *r)
{
    rollup_destroy(r->rollup);
    support_site_free(&r->site);
}

static void give_all(struct rollup *rollup, rollup_piece_cb cb, void *arg)
{
    rollup_close(rollup, 1);
    while (rollup_give(rollup, cb, arg))
        continue;
}

static void take(struct rollup *rollup, const struct frame *frame, rollup_piece_cb cb, void *arg)
{
    if (rollup_is_over(rollup, frame))
        give_all(rollup, cb, arg);
    rollup_frame(rollup, frame);
}

static void tick(struct rollup *rollup, struct moment now, rollup_piece_cb cb, void *arg)
{
    if (rollup_is_due(rollup, now))
        give_all(rollup, cb, arg);
}

static void reading(struct rig *r, uint32_t point, int64_t ms, enum quality quality, double value)
{
    struct sample s = {.point = point, .quality = quality, .value = value};

    take(r->rollup, &(struct frame){.at = {ms, WALL + ms}, .count = 1, .samples = &s}, piece_cb, r);
}

static void test_minute(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    reading(&r, 0, 0, QUALITY_GOOD, 10);
    reading(&r, 0, 20000, QUALITY_GOOD, -5);
    reading(&r, 1, 20000, QUALITY_GOOD, 0);
    reading(&r, 0, 40000, QUALITY_SENSOR, 0);
    reading(&r, 1, 59999, QUALITY_GOOD, 1);
    reading(&r, 0, 59999, QUALITY_GOOD, NAN);
    assert_string_equal(r.out, "");
    reading(&r, 0, 60000, QUALITY_COMM, 0);
    assert_string_equal(r.out, "d.a@0 n2 bad2 -5..10 sum 5; d.on@0 n2 bad0 0..1 sum 1; ");
    r.out[0] = '\0';
    give_all(r.rollup, piece_cb, &r);
    assert_string_equal(r.out, "d.a@1 n0 bad1 0..0 sum 0; ");
    give_all(r.rollup, piece_cb, &r);
    assert_int_equal(r.parts, 2);
    end(&r);
}

/* One that is late counts in its own minute, in the next batch. */
static void test_late(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    reading(&r, 0, 59000, QUALITY_GOOD, 1);
    reading(&r, 0, 60010, QUALITY_GOOD, 2);
    reading(&r, 1, 59990, QUALITY_GOOD, 1);
    reading(&r, 0, 120000, QUALITY_GOOD, 3);
    assert_string_equal(r.out,
                        "d.a@0 n1 bad0 1..1 sum 1; d.on@0 n1 bad0 1..1 sum 1; d.a@1 n1 bad0 2..2 sum 2; ");
    assert_int_equal(r.parts, 2);
    end(&r);
}

static void test_tick(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    tick(r.rollup, (struct moment){0, WALL}, piece_cb, &r);
    reading(&r, 0, 59000, QUALITY_GOOD, 1);
    tick(r.rollup, (struct moment){64999, WALL + 64999}, piece_cb, &r);
    assert_int_equal(r.parts, 0);
    tick(r.rollup, (struct moment){65000, WALL + 65000}, piece_cb, &r);
    assert_int_equal(r.parts, 1);
    /* The clock was put back by an hour: what is gathered goes all the same. */
    reading(&r, 0, 70000, QUALITY_GOOD, 1);
    tick(r.rollup, (struct moment){71000, WALL - 60 * MINUTE}, piece_cb, &r);
    assert_int_equal(r.parts, 1);
    tick(r.rollup, (struct moment){140000, WALL - 59 * MINUTE}, piece_cb, &r);
    assert_int_equal(r.parts, 2);
    end(&r);
}

struct last {
    int64_t minute;
    char point[32];
    size_t count;
};

static void last_cb(void *arg, const struct rollup_piece *piece)
{
    struct last *last = arg;
    const struct rollup_row *rows = piece->rows;

    for (size_t i = 0; i < piece->count; i++) {
        if (rows[i].minute <= last->minute) {
            assert_true(rows[i].minute == last->minute);
            assert_true(strcmp(rows[i].point, last->point) > 0);
        }
        last->minute = rows[i].minute;
        (void)snprintf(last->point, sizeof last->point, "%s", rows[i].point);
        last->count++;
    }
}

/* Rows come by minute and name, however the points are configured, and whichever minute began first: the store counts on it. */
static void test_order(void **state)
{
    struct support_site site;
    struct rollup *rollup;
    struct last last = {.count = 0};

    (void)state;
    support_site_build(&site, "device gas-10\npoint lel\npoint a\ndevice gas\npoint z\npoint b\n"
                              "device gas-1\npoint o2\npoint co\n");
    assert_int_equal(rollup_create(&site.site, &rollup), RG_OK);
    for (int64_t ms = 120000; ms >= 60000; ms -= 60000) {
        for (uint32_t i = 0; i < 6; i++) {
            struct sample s = {.point = i, .quality = QUALITY_GOOD, .value = i};

            take(rollup, &(struct frame){.at = {ms, WALL + ms}, .count = 1, .samples = &s}, last_cb, &last);
        }
    }
    assert_int_equal(last.count, 0);
    give_all(rollup, last_cb, &last);
    assert_int_equal(last.count, 12);
    rollup_destroy(rollup);
    support_site_free(&site);
}

/* ---- in pieces ---- */

#define POINTS 12000

struct pieces {
    struct last last;
    size_t count[64];
    unsigned calls;
    bool ended;
};

static void pieces_cb(void *arg, const struct rollup_piece *piece)
{
    struct pieces *p = arg;

    assert_false(p->ended);
    assert_int_equal(piece->turn, 42);
    p->count[p->calls++] = piece->count;
    p->ended = piece->last;
    last_cb(&p->last, piece);
}

/* What many points come to is given out a twentieth at a time, while the next minute is gathered. */
static void test_pieces(void **state)
{
    static struct sample samples[POINTS];
    struct support_site site;
    struct rollup *rollup;
    struct pieces pieces = {.calls = 0};
    char *text = calloc(POINTS, 16), *at = text;

    (void)state;
    assert_non_null(text);
    at += sprintf(at, "device d\n");
    for (int i = 0; i < POINTS; i++) {
        at += sprintf(at, "point p%d\n", i);
        samples[i] = (struct sample){.point = (uint32_t)i, .quality = QUALITY_GOOD, .value = 1};
    }
    support_site_build(&site, text);
    free(text);
    assert_int_equal(rollup_create(&site.site, &rollup), RG_OK);
    assert_false(rollup_give(rollup, pieces_cb, &pieces));
    struct frame frame = {.at = {0, WALL}, .count = POINTS, .samples = samples};
    rollup_frame(rollup, &frame);
    frame.at = (struct moment){60000, WALL + 60000};
    assert_true(rollup_is_over(rollup, &frame));
    rollup_close(rollup, 42);
    assert_false(rollup_is_over(rollup, &frame));
    rollup_frame(rollup, &frame);
    while (rollup_give(rollup, pieces_cb, &pieces))
        assert_int_equal(pieces.count[pieces.calls - 1], POINTS / ROLLUP_PIECES + 1);
    assert_true(pieces.ended);
    assert_int_equal(pieces.calls, ROLLUP_PIECES);
    assert_int_equal(pieces.last.count, POINTS);
    assert_int_equal(pieces.last.minute, WALL);
    assert_false(rollup_give(rollup, pieces_cb, &pieces));
    rollup_destroy(rollup);
    support_site_free(&site);
}

/* ---- against a naive sum: any order of minutes ---- */

#define MINUTES 40

struct naive {
    uint32_t n, bad;
    double min, max, sum;
};

static struct naive naive[MINUTES][2], merged[MINUTES][2];

static void merge_cb(void *arg, const struct rollup_piece *piece)
{
    const struct rollup_row *rows = piece->rows;

    (void)arg;
    for (size_t i = 0; i < piece->count; i++) {
        struct naive *m = &merged[(rows[i].minute - WALL) / MINUTE][strcmp(rows[i].point, "d.on") == 0];

        if (rows[i].n > 0 && (m->n == 0 || rows[i].min < m->min))
            m->min = rows[i].min;
        if (rows[i].n > 0 && (m->n == 0 || rows[i].max > m->max))
            m->max = rows[i].max;
        m->n += rows[i].n;
        m->bad += rows[i].bad;
        m->sum += rows[i].sum;
    }
}

static void play(uint64_t seed)
{
    struct rg_random random;
    struct rig r;
    int64_t wall = 0, mono = 0;

    random_seed(&random, seed);
    memset(naive, 0, sizeof naive);
    memset(merged, 0, sizeof merged);
    begin(&r);
    for (int i = 0; i < 5000; i++) {
        uint32_t point = (uint32_t)random_below(&random, 2);
        double value = (double)random_below(&random, 100);
        bool good = random_below(&random, 5) > 0;
        struct sample s = {
            .point = point, .quality = good ? QUALITY_GOOD : QUALITY_RANGE, .value = good ? value : 0};
        struct naive *m;

        mono += (int64_t)random_below(&random, 3000);
        wall += (int64_t)random_below(&random, 3000);
        if (random_below(&random, 200) == 0)
            wall = (int64_t)random_below(&random, MINUTES * MINUTE);
        if (wall >= MINUTES * MINUTE)
            wall = 0;
        m = &naive[wall / MINUTE][point];
        if (good) {
            m->min = m->n == 0 || value < m->min ? value : m->min;
            m->max = m->n == 0 || value > m->max ? value : m->max;
            m->sum += value;
            m->n++;
        } else {
            m->bad++;
        }
        take(r.rollup, &(struct frame){.at = {mono, WALL + wall}, .count = 1, .samples = &s}, merge_cb, NULL);
        if (random_below(&random, 10) == 0)
            tick(r.rollup, (struct moment){mono, WALL + wall}, merge_cb, NULL);
    }
    give_all(r.rollup, merge_cb, NULL);
    if (memcmp(naive, merged, sizeof naive) != 0)
        fail_msg("seed %llu", (unsigned long long)seed);
    end(&r);
}

static void test_property(void **state)
{
    (void)state;
    print_message("seeds 1 to 20\n");
    for (uint64_t seed = 1; seed <= 20; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_minute), cmocka_unit_test(test_late),
                                       cmocka_unit_test(test_tick),   cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_pieces), cmocka_unit_test(test_property)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
