/* LINK rg_test_past; LABEL tsan */
/* A past that the engine itself made, with restarts, power cuts, acknowledgements, permits and faults of outputs, played again: the same
 * transitions, byte for byte and in order. */
#include "replay_stage.h"

#include "base/random.h"

/* ---- what the engine did, it does again ---- */

static const char plant[] =
    "area plant\n"
    "area shop parent=plant\n"
    "device d0 poll=1s area=shop offline=5s:yellow\n"
    "point a type=f32\n"
    "point b\n"
    "device d1 poll=2s area=plant offline=7s:red\n"
    "point a type=f64\n"
    "point b\n"
    "rule high points=*.a above=blue:10,yellow:20,red:30 deadband=2 on=3s off=5s\n"
    "rule low points=*.b below=orange:5 off=1500ms\n"
    "permit tank max=1m\n"
    "rule state points=d1.b is=7:yellow,8:red\n"
    "rule near points=d0.a above=yellow:@d1.a*1.1,red:@d1.a*2 deadband=1 on=2s off=1s\n"
    "rule two points=*.a,*.b vote=2 above=blue:15,orange:25 on=1s off=3s latch=orange\n"
    "rule half points=*.b vote=1:holds above=yellow:30 when=d0.a<20\n"
    "rule guarded points=d1.a above=yellow:12,red:35 off=2s when=d0.b:0|5|7|8|20|30\n"
    "rule permitted points=*.a above=blue:5,red:25 on=1s permit=tank\n"
    "rule mean points=*.a mean=20s coverage=60 above=yellow:14,red:18 deadband=1\n"
    "rule top points=*.b max=12s above=blue:33\n"
    "output siren device=d0 coil=0 area=shop from=orange fault=blue\n";

struct chance {
    struct rg_random random;
    struct live *live;
    double values[4];
};

static int64_t pick(struct chance *c, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(&c->random, (uint64_t)(high - low + 1));
}

static void any_frame(struct chance *c)
{
    uint32_t device = (uint32_t)pick(c, 0, 1);
    int64_t late = pick(c, 0, 3) == 0 ? pick(c, 0, LAG - 1) : 0; /* it lay in the mailbox */
    struct sample samples[2];
    struct frame frame = {.device = device, .heard = true, .count = 2, .samples = samples};
    bool silent = pick(c, 0, 9) == 0;

    live_until(c->live, c->live->mono + pick(c, 0, 700));
    frame.at = live_now(c->live);
    frame.at.mono_ms -= late;
    frame.at.wall_ms -= late;
    for (uint32_t i = 0; i < 2; i++) {
        double *value = &c->values[device * 2 + i];

        *value = pick(c, 0, 5) == 0 ? (double)pick(c, 0, 40) : *value;
        samples[i] =
            (struct sample){.point = device * 2 + i,
                            .value = device == 0 && i == 0 ? (double)((float)*value * 1.1f) : *value};
        if (pick(c, 0, 7) == 0)
            samples[i] = (struct sample){.point = device * 2 + i,
                                         .quality = (enum quality)pick(c, 1, QUALITY_COUNT - 1)};
        if (silent)
            samples[i] = (struct sample){.point = device * 2 + i, .quality = QUALITY_COMM};
    }
    frame.heard = !silent || pick(c, 0, 3) == 0;
    live_frame(c->live, &frame);
}

static void any_act(struct chance *c)
{
    struct live *l = c->live;
    struct kept kept = {0};
    const char *id;
    enum rg_err err;

    rules_each(l->rules, keep_cb, &kept);
    if (kept.count == 0)
        return;
    id = kept.alarms[pick(c, 0, (int64_t)kept.count - 1)].id;
    switch (pick(c, 0, 2)) {
    case 0:
        err = rules_ack(l->rules, id, "Li", pick(c, 0, 1) ? "seen" : NULL, live_now(l));
        break;
    case 1:
        err = rules_shelve(l->rules, id, pick(c, 1, 20000), "Wang", "at work", live_now(l));
        break;
    default:
        err = rules_unshelve(l->rules, id, "Wang", NULL, live_now(l));
    }
    assert_true(err == RG_OK || err == RG_EEXIST || err == RG_ENOTFOUND);
}

static void any_permit(struct chance *c)
{
    struct live *l = c->live;
    struct moment now = live_now(l);
    int64_t for_ms = pick(c, 0, 3) == 0 ? 0 : pick(c, 1, 60000), turn = past_turn(&l->past);
    char more[160];

    rules_permit(l->rules, 0, for_ms > 0 ? now.mono_ms + for_ms : INT64_MIN, now);
    l->permit_until = for_ms > 0 ? now.wall_ms + for_ms : 0;
    if (for_ms > 0)
        (void)text_format(more, sizeof more,
                          ",\"command\":\"permit\",\"permit\":\"tank\",\"action\":\"open\",\"for_ms\":%lld,"
                          "\"until\":%lld,\"by\":\"Li\"",
                          (long long)for_ms, (long long)l->permit_until);
    else
        (void)text_copy(more, sizeof more,
                        ",\"command\":\"permit\",\"permit\":\"tank\",\"action\":\"close\",\"by\":\"Li\"");
    past_event(&l->past, "command", more, now, turn);
}

/* What the daemon records of a self test: the outcome comes first, then the alarm that follows from it. */
static void any_self_test(struct chance *c)
{
    struct live *l = c->live;
    struct moment now = live_now(l);
    bool ok = pick(c, 0, 2) > 0;
    uint32_t uplink = (uint32_t)pick(c, 0, 1);
    char more[160];

    (void)text_format(more, sizeof more,
                      ",\"uplink\":\"%s\",\"ok\":%s,\"round_trip_ms\":null,\"of\":\"puback\"",
                      uplink ? "city" : "county", ok ? "true" : "false");
    past_event(&l->past, "self_test", more, now, past_turn(&l->past));
    rules_self_test(l->rules, uplink, !ok, now);
}

/* A stop, a power cut, another boot of the machine (its clock begins anew), a step of the wall clock. */
static void any_restart(struct chance *c)
{
    struct live *l = c->live;
    bool clean = pick(c, 0, 1) == 0;

    if (clean)
        live_stop(l);
    l->mono += pick(c, 0, 60000);
    if (pick(c, 0, 2) == 0) {
        l->offset += l->mono - 500;
        l->mono = 500;
    }
    live_start(l, clean);
}

static void any_past(struct chance *c, int turns)
{
    struct live *l = c->live;

    live_start(l, true);
    for (int i = 0; i < turns; i++) {
        int64_t what = pick(c, 0, 999);

        if (what < 940)
            any_frame(c);
        else if (what < 965)
            any_act(c);
        else if (what < 970)
            any_permit(c);
        else if (what < 980)
            rules_output(l->rules, 0, pick(c, 0, 1) == 0, live_now(l));
        else if (what < 985)
            any_self_test(c);
        else if (what < 990)
            live_until(l, l->mono + pick(c, 0, 15000));
        else if (what < 995)
            l->offset += pick(c, -90000, 90000);
        else
            any_restart(c);
    }
}

static void the_past_comes_again(void **state)
{
    struct site_uplink uplinks[2] = {{.name = "county"}, {.name = "city"}};
    bool tested[2] = {true, true};
    uint64_t seed = random_system_seed();

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 6; round++) {
        struct support_site s;
        struct live live;
        struct again again;
        struct chance chance = {.live = &live};

        random_seed(&chance.random, seed + (uint64_t)round);
        support_site_build(&s, plant);
        s.site.uplinks = uplinks;
        s.site.uplink_count = 2;
        s.site.self_test = (struct site_self_test){
            .every_ms = 60000, .limit_ms = 1000, .level = LEVEL_ORANGE, .uplinks = tested};
        live_init(&live, &s.site);
        any_past(&chance, 3000);
        assert_true(live.told_count > 50);
        play(&live, &s.site, &again, NULL);
        assert_same(&live, &again);
        again_free(&again);
        live_free(&live);
        support_site_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_past_comes_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
