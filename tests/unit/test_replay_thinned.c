/* LINK rg_test_past; LABEL tsan */
/* A past of which not every reading was recorded: what is missing there on purpose is no silence and no hole. */
#include "replay_stage.h"

#include "record/thin.h"

struct stage {
    struct support_site s;
    struct live live;
    struct again again;
    struct replay_player *player;
    struct thin *thin;
    unsigned recorded, frames;
};

static void stage_begin(struct stage *t, const char *text)
{
    *t = (struct stage){0};
    support_site_build(&t->s, text);
    assert_int_equal(thin_create(&t->s.site, &t->thin), RG_OK);
    live_init(&t->live, &t->s.site);
    t->live.past.every_ms = t->s.site.devices[0].record.every_ms;
    live_start(&t->live, true);
}

static void stage_play(struct stage *t)
{
    play(&t->live, &t->s.site, &t->again, &t->player);
}

static void stage_end(struct stage *t)
{
    replay_player_destroy(t->player);
    again_free(&t->again);
    live_free(&t->live);
    thin_destroy(t->thin);
    support_site_free(&t->s);
}

/* The rules see every frame. */
static void at(struct stage *t, int64_t ms, double value, enum quality quality)
{
    struct sample sample = {.point = 0, .quality = quality, .value = quality == QUALITY_GOOD ? value : 0};
    struct frame frame = {.heard = quality != QUALITY_COMM, .count = 1, .samples = &sample};

    live_until(&t->live, 1000 + ms);
    frame.at = live_now(&t->live);
    t->frames++;
    if (thin_frame(t->thin, &frame) == THIN_RECORD) {
        past_frame(&t->live.past, t->live.site, &frame);
        t->recorded++;
    }
    rules_frame(t->live.rules, &frame);
}

/* 40 s without a word on the record, with a wait of 5 s; then real silence, of which the record has the first poll. */
static void a_thinned_stretch_is_no_silence(void **state)
{
    struct stage t;

    (void)state;
    stage_begin(&t, "device d poll=1s offline=5s:yellow record=40s\npoint a\n");
    for (int s = 0; s < 100; s++)
        at(&t, s * 1000, 7, QUALITY_GOOD);
    for (int s = 100; s < 150; s++)
        at(&t, s * 1000, 0, QUALITY_COMM);
    for (int s = 150; s < 300; s++)
        at(&t, s * 1000, 7, QUALITY_GOOD);
    live_stop(&t.live);
    assert_true(t.recorded < 15);
    assert_int_equal(t.live.told_count, 2);
    stage_play(&t);
    assert_same(
        &t.live,
        &t.again); /* at the millisecond: the last poll that was heard is one before the first that was not */
    stage_end(&t);
}

/* One request is refused each time, the other is answered: never silent. */
static void one_of_two_requests(void **state)
{
    struct stage t;
    struct sample samples[2] = {{.point = 0, .quality = QUALITY_GOOD, .value = 1},
                                {.point = 1, .quality = QUALITY_DEVICE}};

    (void)state;
    stage_begin(&t, "device d poll=1s offline=5s:yellow record=40s\npoint a\npoint b\n");
    for (int s = 0; s < 200; s++) {
        for (int k = 0; k < 2; k++) {
            struct frame frame = {.heard = k == 0, .count = 1, .samples = &samples[k]};

            live_until(&t.live, 1000 + s * 1000 + 30 * k);
            frame.at = live_now(&t.live);
            if (thin_frame(t.thin, &frame) == THIN_RECORD)
                past_frame(&t.live.past, t.live.site, &frame);
            rules_frame(t.live.rules, &frame);
        }
    }
    live_stop(&t.live);
    stage_play(&t);
    assert_int_equal(t.live.told_count, 0);
    assert_same(&t.live, &t.again);
    stage_end(&t);
}

/* Windows: what holds is covered, in a replay and at a start. */
static void a_thinned_stretch_is_covered(void **state)
{
    static const char *const signals[] = {"mean=60s", "max=60s", "min=60s", "twa=60s", "flat=60s"};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(signals); i++) {
        char text[200];
        struct stage t;

        (void)snprintf(text, sizeof text,
                       "device d poll=1s record=20s\npoint a change=2\nrule r points=d.a %s coverage=90 %s\n",
                       signals[i], i == 4 ? "is=1:red" : "above=red:20");
        stage_begin(&t, text);
        for (int s = 0; s < 80; s++)
            at(&t, s * 1000, 30, QUALITY_GOOD);
        assert_int_equal(rules_level(t.live.rules), LEVEL_RED);
        live_stop(&t.live);
        live_start(&t.live, true);
        thin_destroy(t.thin);
        assert_int_equal(thin_create(&t.s.site, &t.thin), RG_OK);
        at(&t, 81000, 5,
           QUALITY_GOOD); /* the first reading after the start: the window is known, or it could not clear */
        if (i == 2 || i == 4)
            assert_int_equal(rules_level(t.live.rules), LEVEL_NONE);
        for (int s = 82; s < 200; s++)
            at(&t, s * 1000, 5, QUALITY_GOOD);
        assert_int_equal(rules_level(t.live.rules), i == 4 ? LEVEL_RED : LEVEL_NONE);
        live_stop(&t.live);
        stage_play(&t);
        assert_int_equal(t.again.count, t.live.told_count);
        stage_end(&t);
    }
}

/* A sum knows that it misses something: after a start it can raise, but not clear. */
static void a_sum_is_a_lower_bound(void **state)
{
    struct stage t;

    (void)state;
    stage_begin(&t, "device d poll=1s record=20s\npoint a change=2\nrule r points=d.a sum=60s coverage=90 "
                    "above=red:500\n");
    for (int s = 0; s < 80; s++)
        at(&t, s * 1000, 10, QUALITY_GOOD);
    assert_int_equal(rules_level(t.live.rules), LEVEL_RED);
    live_stop(&t.live);
    live_start(&t.live, true);
    for (int s = 80; s < 100; s++)
        at(&t, s * 1000, 0, QUALITY_GOOD);
    assert_int_equal(rules_level(t.live.rules), LEVEL_RED);
    for (int s = 100; s < 150; s++)
        at(&t, s * 1000, 0, QUALITY_GOOD);
    assert_int_equal(rules_level(t.live.rules), LEVEL_NONE);
    stage_end(&t);
}

static void it_is_told(void **state)
{
    struct stage t;

    (void)state;
    stage_begin(&t, "device d poll=1s record=20s\npoint a\n");
    for (int s = 0; s <= 60; s++)
        at(&t, s * 1000, 5, QUALITY_GOOD);
    t.live.past.every_ms = 0; /* a reload: everything is recorded now */
    for (int s = 61; s <= 70; s++) {
        t.live.past.every_ms = 0;
        past_frame(&t.live.past, t.live.site,
                   &(struct frame){.at = {1000 + s * 1000, 1000 + s * 1000 + WALL},
                                   .heard = true,
                                   .count = 1,
                                   .samples = &(struct sample){.quality = QUALITY_GOOD}});
    }
    stage_play(&t);
    assert_int_equal(t.again.gaps, 1);
    assert_true(t.again.gap[0].every_ms == 20000 && t.again.gap[0].from_ms == WALL + 1000 &&
                t.again.gap[0].to_ms == WALL + 61000 && t.again.gap[0].frames == 4 &&
                t.again.gap[0].polls == 60);
    stage_end(&t);
    stage_begin(&t, "device d poll=1s record=20s\npoint a\n"); /* and what is thinner still */
    for (int s = 0; s <= 100; s++) {
        if (s < 30 || s > 70)
            at(&t, s * 1000, 5, QUALITY_GOOD);
    }
    stage_play(&t);
    assert_int_equal(t.again.gaps, 2);
    assert_true(t.again.gap[0].every_ms == 0 && t.again.gap[0].from_ms == WALL + 21000 &&
                t.again.gap[0].to_ms == WALL + 72000);
    assert_true(t.again.gap[1].every_ms == 20000);
    stage_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thinned_stretch_is_no_silence),
        cmocka_unit_test(one_of_two_requests),
        cmocka_unit_test(a_thinned_stretch_is_covered),
        cmocka_unit_test(a_sum_is_a_lower_bound),
        cmocka_unit_test(it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
