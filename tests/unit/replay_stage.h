/* A daemon in small, which records what it does, and a replay of that: for the tests of daemon/replay. Included once by each of them. */
#ifndef RG_TESTS_REPLAY_STAGE_H
#define RG_TESTS_REPLAY_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static inline void live_frame(struct live *l, const struct frame *frame)
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

static const struct replay_cbs cbs = {
    .change = again_change, .gap = again_gap, .unknown = again_unknown, .run = again_run, .lost = again_lost};

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

#endif
