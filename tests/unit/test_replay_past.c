/* LINK rg_test_past; LABEL tsan */
/* What is said about a past that is not whole, or is another one than configured. */
#include "replay_stage.h"

#include "replay/meaning.h"

static const char small[] = "device d poll=1s offline=5s:yellow\n"
                            "point a type=f64\n"
                            "point b\n"
                            "rule high points=d.a above=blue:10,red:30\n";

struct stage {
    struct support_site s;
    struct live live;
    struct again again;
    struct replay_player *player;
};

static void stage_begin(struct stage *t, const char *text)
{
    *t = (struct stage){0};
    support_site_build(&t->s, text);
    live_init(&t->live, &t->s.site);
    live_start(&t->live, true);
}

static void stage_play(struct stage *t, const struct site *site)
{
    play(&t->live, site, &t->again, &t->player);
}

static void stage_end(struct stage *t)
{
    replay_player_destroy(t->player);
    again_free(&t->again);
    live_free(&t->live);
    support_site_free(&t->s);
}

/* Both points of a device, at so many ms of the run (which begins at 1000). */
static void at(struct stage *t, int64_t ms, uint32_t device, double a, enum quality quality)
{
    struct sample samples[] = {{device * 2, quality, quality == QUALITY_GOOD ? a : 0},
                               {device * 2 + 1, quality, 0}};
    struct frame frame = {.device = device, .heard = quality == QUALITY_GOOD, .count = 2, .samples = samples};

    live_until(&t->live, 1000 + ms);
    frame.at = live_now(&t->live);
    live_frame(&t->live, &frame);
}

static void who_is_only_in_one_of_both_is_told(void **state)
{
    struct support_site other;
    struct stage t;

    (void)state;
    stage_begin(
        &t, "device d\npoint a\npoint b\ndevice e\npoint a\npoint b\nrule high points=d.a above=blue:10\n");
    at(&t, 0, 0, 5, QUALITY_GOOD);
    at(&t, 10, 1, 5, QUALITY_GOOD);
    at(&t, 20, 0, 15, QUALITY_GOOD);
    at(&t, 30, 1, 5, QUALITY_GOOD);
    live_stop(&t.live);
    support_site_build(&other,
                       "device f\npoint a\ndevice d\npoint c\npoint a\nrule high points=d.a above=blue:10\n");
    stage_play(&t, &other.site);
    assert_string_equal(t.again.notes, "unknown d.b\nunknown e\nrun 1000 1030 stopped\n");
    assert_same(&t.live, &t.again);
    assert_int_equal(replay_player_figures(t.player)->frames, 2);
    assert_int_equal(replay_player_figures(t.player)->readings, 2);
    assert_false(replay_player_has_point(t.player, support_site_point(&other.site, "f.a")));
    assert_false(replay_player_has_point(t.player, support_site_point(&other.site, "d.c")));
    assert_true(replay_player_has_point(t.player, support_site_point(&other.site, "d.a")));
    stage_end(&t);
    support_site_free(&other);
}

static void what_is_missing_or_damaged_is_told(void **state)
{
    struct stage t;

    (void)state;
    stage_begin(&t, small);
    at(&t, 0, 0, 5, QUALITY_GOOD);
    past_event(&t.live.past, "lost", ",\"stream\":\"telemetry\",\"count\":12,\"cause\":\"memory\"",
               live_now(&t.live), 0);
    past_event(&t.live.past, "config", ",\"applied\":true,\"changes\":[{\"what\":\"rule.high.above.red\"}]",
               live_now(&t.live), 0);
    past_event(&t.live.past, "config", ",\"applied\":true,\"changes\":[]", live_now(&t.live), 0);
    past_event(&t.live.past, "config", ",\"applied\":false", live_now(&t.live), 0);
    past_event(&t.live.past, "device", ",\"state\":\"online\"", live_now(&t.live), 0);
    past_event(&t.live.past, "clock", ",\"step_ms\":", live_now(&t.live), 0); /* no JSON */
    at(&t, 900, 0, 5, QUALITY_GOOD);
    t.live.past.records[t.live.past.count - 1].body[2] = 'x';
    at(&t, 1000, 0, 35, QUALITY_GOOD);
    stage_play(&t, &t.s.site);
    assert_string_equal(t.again.notes, "lost 1000 telemetry 12 memory\nrun 1000 2000 cut\n");
    assert_int_equal(replay_player_figures(t.player)->damaged, 2);
    assert_int_equal(replay_player_figures(t.player)->configs, 1);
    assert_int_equal(replay_player_figures(t.player)->recorded, 1);
    assert_same(&t.live, &t.again);
    stage_end(&t);
}

static void apply(struct stage *t, const char *what)
{
    struct meaning *m;
    char more[256];

    (void)snprintf(more, sizeof more, ",\"applied\":true,\"changes\":[{\"what\":\"%s\"}]", what);
    past_event(&t->live.past, "config", more, live_now(&t->live), 0);
    assert_int_equal(meaning_create(&t->s.site, &m), RG_OK);
    meaning_note(m, what);
    (void)meaning_forget(m, t->live.rules, NULL, NULL);
    meaning_destroy(m);
}

/* Readings of 10 while the scale was another; now they are 1000. Neither the start that brought it, nor the next one, nor a replay
 * makes a step of that. */
static void another_meaning_begins_anew(void **state)
{
    static const char *const whats[] = {"point.d.a.scaling", "device.d.bus", "point.d.b.scaling",
                                        "point.d.a.label"};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(whats); i++) {
        const bool another = i < 2;
        struct stage t;

        stage_begin(
            &t,
            "device d poll=1s\npoint a\npoint b\nrule step points=d.a delta=30s coverage=1 above=red:500\n");
        for (int64_t ms = 0; ms < 5000; ms += 1000)
            at(&t, ms, 0, 10, QUALITY_GOOD);
        live_stop(&t.live);
        live_start(&t.live, true);
        apply(&t, whats[i]);
        at(&t, 6000, 0, 1000, QUALITY_GOOD);
        at(&t, 7000, 0, 1000, QUALITY_GOOD);
        live_stop(&t.live);
        live_start(&t.live, true);
        at(&t, 8000, 0, 1000, QUALITY_GOOD);
        assert_int_equal(rules_level(t.live.rules), another ? LEVEL_NONE : LEVEL_RED);
        stage_play(&t, &t.s.site);
        assert_same(&t.live, &t.again);
        assert_int_equal(t.live.told_count > 0, !another);
        assert_int_equal(replay_player_figures(t.player)->configs, 1);
        assert_int_equal(replay_player_figures(t.player)->meanings, i < 3);
        stage_end(&t);
    }
}

static void thin_data_are_told(void **state)
{
    static const struct gap expected[] = {
        /* device, from, to, polls, frames, silent */
        {0, WALL + 2000, WALL + 5000, 3, 1, false, 0},    /* three seconds without a frame */
        {0, WALL + 8000, WALL + 14000, 6, 3, false, 0},   /* every other second only */
        {0, WALL + 15000, WALL + 20000, 5, 1, true, 0},   /* it was silent */
        {0, WALL + 21000, WALL + 30000, 9, 0, false, 0}}; /* and the run goes on */
    static const int64_t frames[] = {0, 1000, 2000, 5000, 6000, 7000, 8000, 10000, 12000, 14000, 15000};
    struct stage t;

    (void)state;
    stage_begin(&t, "device d poll=1s\npoint a\npoint b\ndevice e poll=20s\npoint a\npoint b\n");
    for (size_t i = 0; i < RG_COUNT(frames); i++)
        at(&t, frames[i], 0, 1, QUALITY_GOOD);
    at(&t, 16000, 1, 1, QUALITY_GOOD);
    at(&t, 20000, 0, 1, QUALITY_COMM);
    at(&t, 21000, 0, 1, QUALITY_GOOD);
    at(&t, 30000, 1, 1, QUALITY_GOOD);
    stage_play(&t, &t.s.site);
    assert_int_equal(t.again.gaps, RG_COUNT(expected));
    for (size_t i = 0; i < RG_COUNT(expected); i++) {
        const struct gap *g = &t.again.gap[i], *e = &expected[i];

        if (g->device != e->device || g->from_ms != e->from_ms + 1000 || g->to_ms != e->to_ms + 1000 ||
            g->polls != e->polls || g->frames != e->frames || g->silent != e->silent)
            fail_msg("%zu: %lld to %lld, %lld polls, %lld frames, silent %d", i,
                     (long long)(g->from_ms - WALL - 1000), (long long)(g->to_ms - WALL - 1000),
                     (long long)g->polls, (long long)g->frames, g->silent);
    }
    stage_end(&t);
}

/* A request that is answered does not hide another one of the same device that is not. */
static void each_point_is_due(void **state)
{
    struct stage t;

    (void)state;
    stage_begin(&t, "device d poll=1s\npoint a\npoint b\n");
    for (int i = 0; i < 10; i++) {
        const struct sample samples[] = {{0, QUALITY_GOOD, 1}, {1, QUALITY_GOOD, 2}};
        struct frame frame = {.heard = true, .count = i == 0 || i == 6 ? 2 : 1, .samples = samples};

        live_until(&t.live, 1000 + i * 1000);
        frame.at = live_now(&t.live);
        live_frame(&t.live, &frame);
    }
    stage_play(&t, &t.s.site);
    assert_int_equal(t.again.gaps, 2);
    assert_int_equal(t.again.gap[0].from_ms - WALL, 1000);
    assert_int_equal(t.again.gap[0].to_ms - WALL, 7000);
    assert_int_equal(t.again.gap[1].from_ms - WALL, 7000);
    assert_int_equal(t.again.gap[1].to_ms - WALL, 10000);
    stage_end(&t);
}

/* What stood before the retention's end stands on: the records of the alarms outlive those of the readings. */
static void it_may_begin_in_the_middle_of_a_run(void **state)
{
    struct stage t;
    size_t told;

    (void)state;
    stage_begin(&t, small);
    at(&t, 0, 0, 5, QUALITY_GOOD);
    at(&t, 1000, 0, 35, QUALITY_GOOD); /* raised: red */
    assert_int_equal(rules_ack(t.live.rules, "gw-01-1", "Li", "seen", live_now(&t.live)), RG_OK);
    at(&t, 2000, 0, 3, QUALITY_GOOD);  /* cleared */
    at(&t, 3000, 0, 36, QUALITY_GOOD); /* raised again */
    told = t.live.told_length;
    past_prune(&t.live.past, t.live.past.turn + 1);
    at(&t, 4000, 0, 15, QUALITY_GOOD); /* down to blue */
    at(&t, 5000, 0, 4, QUALITY_GOOD);  /* cleared */
    at(&t, 6000, 0, 33, QUALITY_GOOD);
    memmove(t.live.told, t.live.told + told, t.live.told_length - told + 1);
    stage_play(&t, &t.s.site);
    assert_same(&t.live, &t.again);
    assert_true(replay_player_figures(t.player)->midway);
    assert_int_equal(replay_player_figures(t.player)->first_ms, WALL + 5000);
    stage_end(&t);
}

static void acts_without_their_alarm_are_counted(void **state)
{
    struct support_site other;
    struct stage t;

    (void)state;
    stage_begin(&t, small);
    at(&t, 0, 0, 35, QUALITY_GOOD);
    assert_int_equal(rules_ack(t.live.rules, "gw-01-1", "Li", "seen", live_now(&t.live)), RG_OK);
    assert_int_equal(rules_shelve(t.live.rules, "gw-01-1", 5000, "Li", NULL, live_now(&t.live)), RG_OK);
    support_site_build(&other,
                       "device d poll=1s\npoint a type=f64\npoint b\nrule high points=d.a above=blue:40\n");
    stage_play(&t, &other.site);
    assert_int_equal(replay_player_figures(t.player)->acts, 2);
    assert_int_equal(t.again.count, 0);
    stage_end(&t);
    support_site_free(&other);
}

static void it_ends_where_it_is_asked_to(void **state)
{
    const struct replay_wish wish = {.until_ms = WALL + 1000 + 3500};
    struct replay_part part = {.cbs = cbs};
    struct replay_past past;
    char why[REPLAY_WHY];
    struct stage t;

    (void)state;
    stage_begin(&t,
                "device d poll=1s offline=2s:yellow\npoint a\npoint b\nrule high points=d.a above=blue:10\n");
    at(&t, 0, 0, 15, QUALITY_GOOD);
    at(&t, 1000, 0, 15, QUALITY_GOOD); /* silent from 3000 on */
    live_until(&t.live, 1000 + 4000);
    at(&t, 5000, 0, 5, QUALITY_GOOD);
    past = past_open(&t.live.past);
    part.site = &t.s.site;
    part.arg = &t.again;
    jsonw_init(&t.again.w, 0);
    assert_int_equal(replay_run(&past, &wish, &part, 1, why), RG_OK);
    t.player = part.player;
    assert_int_equal(t.again.count, 2); /* of the five that were told */
    assert_int_equal(replay_player_figures(t.player)->frames, 2);
    stage_end(&t);
}

/* One forward glitch of the clock hides nothing of what comes after it. */
static void a_clock_that_is_ahead_for_a_moment_does_not_end_it(void **state)
{
    const struct replay_wish wish = {.until_ms = WALL + 1000 + 3500};
    struct replay_part part = {.cbs = cbs};
    struct replay_past past;
    char why[REPLAY_WHY];
    struct stage t;

    (void)state;
    stage_begin(&t, "device d poll=1s\npoint a\npoint b\nrule high points=d.a above=blue:10\n");
    at(&t, 0, 0, 5, QUALITY_GOOD);
    t.live.offset += 3600000;
    at(&t, 1000, 0, 5, QUALITY_GOOD);
    t.live.offset -= 3600000;
    at(&t, 2000, 0, 15, QUALITY_GOOD);
    at(&t, 3000, 0, 5, QUALITY_GOOD);
    at(&t, 4000, 0, 15, QUALITY_GOOD);
    at(&t, 5000, 0, 5, QUALITY_GOOD);
    past = past_open(&t.live.past);
    part.site = &t.s.site;
    part.arg = &t.again;
    jsonw_init(&t.again.w, 0);
    assert_int_equal(replay_run(&past, &wish, &part, 1, why), RG_OK);
    t.player = part.player;
    assert_int_equal(replay_player_figures(t.player)->frames, 4);
    assert_int_equal(t.again.count, 2);
    stage_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_only_in_one_of_both_is_told),
        cmocka_unit_test(what_is_missing_or_damaged_is_told),
        cmocka_unit_test(another_meaning_begins_anew),
        cmocka_unit_test(thin_data_are_told),
        cmocka_unit_test(each_point_is_due),
        cmocka_unit_test(it_may_begin_in_the_middle_of_a_run),
        cmocka_unit_test(acts_without_their_alarm_are_counted),
        cmocka_unit_test(it_ends_where_it_is_asked_to),
        cmocka_unit_test(a_clock_that_is_ahead_for_a_moment_does_not_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
