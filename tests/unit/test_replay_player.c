/* LINK rg_test_past; LABEL tsan */
/* A past that the engine itself made, with restarts, power cuts, acknowledgements and faults of outputs, played again: the same transitions,
 * byte for byte and in order. And what a player says about a past that is not whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "past.h"
#include "record/record.h"
#include "replay/prime.h"
#include "replay/run.h"
#include "store/store.h"
#include "support_site.h"

#define WALL INT64_C(1763780000000)
#define LAG 20 /* as the daemon's: a deadline is carried out a little later, with its own instant */

/* ---- a daemon in small ---- */

struct live {
    const struct site *site;
    struct past past;
    struct rules *rules;
    uint64_t next_alarm;
    int64_t mono, offset; /* wall is mono + offset */
    int64_t permit_until; /* wall; 0: closed */
    char *told;           /* every transition's record */
    size_t told_length;
    size_t told_count;
};

static void tell(char **text, size_t *total, const struct alarm_change *change, struct jsonw *w)
{
    const char *body;
    size_t length;

    assert_int_equal(record_alarm(w, change, false, &body, &length), RG_OK);
    *text = realloc(*text, *total + length + 2);
    assert_non_null(*text);
    memcpy(*text + *total, body, length);
    *total += length;
    (*text)[(*total)++] = '\n';
    (*text)[*total] = '\0';
}

static void live_change_cb(void *arg, const struct alarm_change *change)
{
    struct live *l = arg;

    past_alarm(&l->past, change);
    tell(&l->told, &l->told_length, change, &l->past.w);
    l->told_count++;
}

static struct moment live_now(const struct live *l)
{
    return (struct moment){l->mono, l->mono + l->offset};
}

static void live_init(struct live *l, const struct site *site)
{
    *l = (struct live){.site = site, .next_alarm = 1, .mono = 1000, .offset = WALL};
    past_init(&l->past);
}

static void live_free(struct live *l)
{
    rules_destroy(l->rules);
    past_free(&l->past);
    free(l->told);
}

struct kept {
    struct alarm alarms[64];
    size_t count;
};

static void keep_cb(void *arg, const struct alarm *alarm)
{
    struct kept *k = arg;

    assert_true(k->count < RG_COUNT(k->alarms));
    k->alarms[k->count++] = *alarm;
}

static int by_raise(const void *x, const void *y)
{
    const struct alarm *a = x, *b = y;

    if (a->raised_ms != b->raised_ms)
        return a->raised_ms < b->raised_ms ? -1 : 1;
    return strcmp(a->id, b->id);
}

static void live_start(struct live *l, bool clean)
{
    struct replay_past past = past_open(&l->past);
    struct kept kept = {0};
    struct moment now = live_now(l);
    int64_t turn;
    char why[REPLAY_WHY];

    if (l->rules) {
        l->next_alarm = rules_next_alarm(l->rules) + (clean ? 0 : STORE_ALARM_MARGIN);
        rules_each(l->rules, keep_cb, &kept);
        qsort(kept.alarms, kept.count, sizeof kept.alarms[0], by_raise);
        rules_destroy(l->rules);
    }
    assert_int_equal(rules_create(l->site, l->next_alarm, live_change_cb, l, &l->rules), RG_OK);
    for (size_t i = 0; i < kept.count; i++)
        assert_int_equal(rules_restore(l->rules, &kept.alarms[i]), RG_OK);
    assert_int_equal(replay_prime(l->rules, l->site, &past, now, INT64_MAX, NULL, why), RG_OK);
    turn = past_turn(&l->past);
    if (l->permit_until > now.wall_ms) {
        int64_t left = l->permit_until - now.wall_ms, most = l->site->permits[0].max_ms;

        rules_permit(l->rules, 0, now.mono_ms + (left < most ? left : most), now);
    }
    rules_start(l->rules, now);
    past_event(&l->past, "start", clean ? ",\"clean\":true" : ",\"clean\":false", now, turn);
}

static void live_stop(struct live *l)
{
    struct moment now = live_now(l);

    rules_tick(l->rules, now);
    past_event(&l->past, "stop", ",\"reason\":\"SIGTERM\"", now, 0);
}

/* The clock's way: a deadline is carried out LAG later. */
static void live_until(struct live *l, int64_t mono)
{
    int64_t next;

    while ((next = rules_next_ms(l->rules)) != INT64_MAX && next + LAG <= mono) {
        if (next + LAG > l->mono)
            l->mono = next + LAG;
        rules_tick(l->rules, (struct moment){l->mono - LAG, l->mono - LAG + l->offset});
    }
    if (mono > l->mono)
        l->mono = mono;
}

static void live_frame(struct live *l, const struct frame *frame)
{
    past_frame(&l->past, l->site, frame);
    rules_frame(l->rules, frame);
}

/* ---- played again ---- */

struct again {
    struct jsonw w;
    char *told;
    size_t length, count;
    char notes[4096];
    size_t runs, gaps;
    struct gap gap[16];
};

static void again_change(void *arg, const struct alarm_change *change, bool unsynced)
{
    struct again *a = arg;

    assert_false(unsynced);
    tell(&a->told, &a->length, change, &a->w);
    a->count++;
}

RG_PRINTF(2, 3) static void note(struct again *a, const char *format, ...)
{
    size_t length = strlen(a->notes);
    va_list args;

    va_start(args, format);
    assert_true(vsnprintf(a->notes + length, sizeof a->notes - length, format, args) <
                (int)(sizeof a->notes - length));
    va_end(args);
}

static void again_unknown(void *arg, const char *device, const char *point)
{
    note(arg, "unknown %s%s%s\n", device, point ? "." : "", point ? point : "");
}

static void again_run(void *arg, int64_t from_ms, int64_t to_ms, bool stopped)
{
    struct again *a = arg;

    a->runs++;
    if (a->runs <= 3)
        note(a, "run %lld %lld %s\n", (long long)(from_ms - WALL), (long long)(to_ms - WALL),
             stopped ? "stopped" : "cut");
}

static void again_gap(void *arg, const struct gap *gap)
{
    struct again *a = arg;

    if (a->gaps < RG_COUNT(a->gap))
        a->gap[a->gaps] = *gap;
    a->gaps++;
}

static void again_lost(void *arg, int64_t at_ms, const char *stream, int64_t count, const char *cause)
{
    note(arg, "lost %lld %s %lld %s\n", (long long)(at_ms - WALL), stream, (long long)count, cause);
}

static const struct replay_cbs cbs = {again_change, again_gap, again_unknown, again_run, again_lost};

static void play(struct live *l, const struct site *site, struct again *a, struct replay_player **player)
{
    struct replay_past past = past_open(&l->past);
    const struct replay_wish wish = {0};
    struct replay_part part = {.site = site, .cbs = cbs, .arg = a};
    char why[REPLAY_WHY];

    *a = (struct again){0};
    jsonw_init(&a->w, 0);
    assert_int_equal(replay_run(&past, &wish, &part, 1, why), RG_OK);
    assert_non_null(part.player);
    if (player)
        *player = part.player;
    else
        replay_player_destroy(part.player);
}

static void again_free(struct again *a)
{
    jsonw_free(&a->w);
    free(a->told);
}

static void assert_same(const struct live *l, const struct again *a)
{
    const char *x = l->told ? l->told : "", *y = a->told ? a->told : "";

    while (*x && *y) {
        size_t m = strcspn(x, "\n"), n = strcspn(y, "\n");

        if (m != n || memcmp(x, y, m) != 0)
            fail_msg("live:  %.*s\nagain: %.*s", (int)m, x, (int)n, y);
        x += m + 1;
        y += n + 1;
    }
    if (*x || *y)
        fail_msg("%s:  %.*s", *x ? "only live" : "only again", (int)strcspn(*x ? x : y, "\n"), *x ? x : y);
}

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
