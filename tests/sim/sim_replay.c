/* LINK rg_sim rg_replay rg_record rg_daemon rg_loop_virtual */
/* Promise 7: a day of faults, excursions, restarts, power cuts, reloads, acknowledgements and shelvings; then the store that it left is played
 * through the same configuration, and every alarm record comes again, byte for byte and in order. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "record/record.h"
#include "replay/run.h"
#include "world.h"

#define DEVICES 5

static const struct world_plan plan = {
    .devices = DEVICES,
    .points = 4,
    .buses = 2,
    .uplinks = 1,
    .poll_ms = 30 * WORLD_SECOND,
    .commit_ms = 20 * WORLD_SECOND,
    .offline_ms = 100 * WORLD_SECOND,
    .backfill_rate = 200,
    .red = 40,
    .derived = true,
    .memory = true,
    .duration_ms = WORLD_DAY + WORLD_HOUR,
};

static void plan_windows(struct world *w, struct world_windows *list, int64_t gap_ms, int64_t length_ms,
                         const double *values, size_t count)
{
    int64_t at = VIRTUAL_MONO_MS;

    for (;;) {
        struct world_window window = {.from_ms = at + world_between(w, gap_ms / 4, 2 * gap_ms)};

        window.to_ms = window.from_ms + world_between(w, 1, length_ms);
        if (window.to_ms > VIRTUAL_MONO_MS + WORLD_DAY)
            return;
        if (values)
            window.value = values[random_below(&w->random, count)];
        else
            window.fault =
                (enum world_fault)(WORLD_SENSOR + random_below(&w->random, WORLD_BROKEN - WORLD_SENSOR + 1));
        world_window_add(w, list, window);
        at = window.to_ms;
    }
}

static void plan_day(struct world *w)
{
    static const double high[] = {9.5, 10, 15, 19.5, 22, 31, 45}, now[] = {49, 50, 70},
                        low[] = {5, 5.3, 2, 6};

    for (unsigned i = 0; i < DEVICES; i++) {
        plan_windows(w, &w->devices[i].faults, WORLD_HOUR, 10 * WORLD_MINUTE, NULL, 0);
        plan_windows(w, &w->devices[i].excursions[0], 15 * WORLD_MINUTE, 8 * WORLD_MINUTE, high,
                     RG_COUNT(high));
        plan_windows(w, &w->devices[i].excursions[1], 40 * WORLD_MINUTE, 6 * WORLD_MINUTE, now,
                     RG_COUNT(now));
        plan_windows(w, &w->devices[i].excursions[2], 30 * WORLD_MINUTE, 5 * WORLD_MINUTE, low,
                     RG_COUNT(low));
    }
}

struct day {
    struct world w;
    char pick[ALARM_ID_MAX];
    unsigned acts, restarts, crashes, reloads;
};

static void pick_cb(void *arg, const struct alarm *alarm)
{
    struct day *d = arg;

    if (!d->pick[0] || random_below(&d->w.random, 3) == 0)
        (void)text_copy(d->pick, sizeof d->pick, alarm->id);
}

static void act(struct day *d)
{
    struct pipeline *p = app_pipeline(d->w.app);
    enum rg_err err;

    d->pick[0] = '\0';
    rules_each(p->rules, pick_cb, d);
    if (!d->pick[0])
        return;
    switch (random_below(&d->w.random, 3)) {
    case 0:
        err = pipeline_ack(p, d->pick, "张三", random_below(&d->w.random, 2) ? "看到了" : NULL);
        break;
    case 1:
        err = pipeline_shelve(p, d->pick, world_between(&d->w, 1, WORLD_HOUR), "李四", "at work");
        break;
    default:
        err = pipeline_unshelve(p, d->pick, "李四", NULL);
    }
    d->acts += err == RG_OK;
}

static void disturb(struct day *d)
{
    switch (random_below(&d->w.random, 8)) {
    case 0:
        world_stop(&d->w);
        d->restarts++;
        break;
    case 1:
        world_crash(&d->w);
        d->crashes++;
        break;
    case 2:
        world_reload(&d->w);
        d->reloads++;
        return;
    default:
        act(d);
        return;
    }
    world_run_for(&d->w, random_below(&d->w.random, 2) ? 0 : world_between(&d->w, 0, 10 * WORLD_MINUTE));
    world_start(&d->w);
}

/* ---- played again ---- */

struct again {
    struct world *w;
    char rules[16][TEXT_ID_MAX + 1]; /* that raised something */
    size_t rule_count;
    struct replay_source recorded;
    struct jsonw record;
    uint64_t same;
};

/* The next alarm record's text, from ts on, without what the store adds. */
static const char *next_recorded(struct again *a, size_t *length)
{
    struct history_entry e;
    enum rg_err err;
    const char *from, *to;

    while ((err = a->recorded.next(a->recorded.arg, &e)) == RG_OK && e.stream != STREAM_ALARM)
        ;
    if (err == RG_ENOTFOUND)
        return NULL;
    WORLD_CHECK(a->w, err == RG_OK, "the store cannot be read: %s", a->recorded.why(a->recorded.arg));
    from = memchr(e.body, ',', e.length);
    to = memmem(e.body, e.length, ",\"hash\":", 8);
    WORLD_CHECK(a->w, from && to && from < to, "a record without seq or hash");
    *length = (size_t)(to - from) - 1;
    return from + 1;
}

static void note_rule(struct again *a, const char *rule)
{
    for (size_t i = 0; i < a->rule_count; i++) {
        if (strcmp(a->rules[i], rule) == 0)
            return;
    }
    WORLD_CHECK(a->w, a->rule_count < RG_COUNT(a->rules), "more rules than there are");
    (void)text_copy(a->rules[a->rule_count++], sizeof a->rules[0], rule);
}

static void change_cb(void *arg, const struct alarm_change *change, bool unsynced)
{
    struct again *a = arg;
    const char *body, *expected;
    size_t length, expected_length = 0;

    WORLD_CHECK(a->w, record_alarm(&a->record, change, unsynced, &body, &length) == RG_OK, "no record");
    expected = next_recorded(a, &expected_length);
    if (!expected || length != expected_length || memcmp(body, expected, length) != 0)
        world_fail(a->w, "after %llu that were the same\nlive:  %.*s\nagain: %.*s",
                   (unsigned long long)a->same, (int)expected_length, expected ? expected : "", (int)length,
                   body);
    a->same++;
    note_rule(a, change->alarm->rule);
}

static void play_again(struct day *d)
{
    const struct replay_past past = replay_past_store(d->w.store_file);
    const struct history_wish everything = {0};
    const struct replay_wish wish = {0};
    struct again again = {.w = &d->w};
    struct replay_part part = {.cbs = {.change = change_cb}, .arg = &again};
    struct config *config = NULL;
    const char *rest;
    size_t length = 0;
    char why[REPLAY_WHY] = "";

    WORLD_CHECK(&d->w, config_load(d->w.config_file, &config) == RG_OK && config->site,
                "the configuration is none");
    part.site = config->site;
    jsonw_init(&again.record, 0);
    WORLD_CHECK(&d->w, past.open(past.arg, &everything, &again.recorded, why) == RG_OK, "%s", why);
    WORLD_CHECK(&d->w, replay_run(&past, &wish, &part, 1, why) == RG_OK, "%s", why);
    rest = next_recorded(&again, &length);
    WORLD_CHECK(&d->w, !rest, "only live: %.*s", (int)length, rest ? rest : "");
    past.close(past.arg, &again.recorded);
    (void)printf("  %u acts, %u restarts, %u crashes, %u reloads; %llu records came again\n", d->acts,
                 d->restarts, d->crashes, d->reloads, (unsigned long long)again.same);
    /* All but at most one of the twelve, and silence. */
    WORLD_CHECK(&d->w, again.same > 300 && again.rule_count >= 12, "too little happened: %zu rules",
                again.rule_count);
    replay_player_destroy(part.player);
    jsonw_free(&again.record);
    config_free(config);
}

static void run(uint64_t seed)
{
    static struct day d;

    d = (struct day){0};
    world_create(&d.w, seed, &plan);
    plan_day(&d.w);
    world_start(&d.w);
    while (world_now(&d.w) < VIRTUAL_MONO_MS + WORLD_DAY) {
        world_run_for(&d.w, world_between(&d.w, WORLD_MINUTE, 50 * WORLD_MINUTE));
        disturb(&d);
    }
    world_stop(&d.w);
    play_again(&d);
    world_destroy(&d.w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
