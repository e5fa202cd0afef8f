/* A rule engine on a stage: a site of a few words, a script of what happens to it, and what it told, as text. For
 * test_rules_table.c and its sisters.
 *
 * script: "<ms>:<what>" joined by blanks, where what is "<point>=<value or !quality>[,...]" (a frame of the last point's
 * device, heard unless every reading is !comm; a point without a device's name is one of d), "tick", "mute" (a frame not heard), "ack", "shelve=<duration>", "unshelve" (of the first alarm),
 * "permit=<name>:<duration>" (opens it from then on; 0 closes it; in `restored` before the start, which is 0).
 * events: "<ms> <event> <was>><now>[ <rule> <point>] <value>/<limit>[ acked][ (comment)]", joined by "; "; rule and point are
 * left out when they are r and d.a.
 * A vote's alarm has the point "-".
 * restored: "<rule> <point> <level>[ acked][ suppressed]" or "permit=...", joined by ";". */
#ifndef RG_TESTS_RULES_STAGE_H
#define RG_TESTS_RULES_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

#define WALL 1763780000000 /* wall time of the monotonic 0 */
#define STAGE_DEVICE "device d\npoint a\npoint b\nrule r points=d.a "
/* Of a rule: a ladder. */
#define STEPS "above=blue:10,yellow:20,orange:25,red:50 deadband=1"

enum stage_split { SPLIT_NONE, SPLIT_DEADLINES, SPLIT_EVERY_MS };

struct stage {
    struct support_site support, reloaded; /* one of them holds the site, which must stay where it is */
    bool is_reloaded;
    const struct site *site;
    struct rules *rules;
    char first_id[ALARM_ID_MAX]; /* of the first alarm told of */
    char events[2048];
    size_t length;
};

static inline void stage_put(struct stage *st, const char *text)
{
    size_t length = strlen(text);

    assert_true(st->length + length < sizeof st->events);
    memcpy(st->events + st->length, text, length + 1);
    st->length += length;
}

static inline void stage_change_cb(void *arg, const struct alarm_change *change)
{
    struct stage *st = arg;
    const struct alarm *a = change->alarm;
    char text[512], value[32] = "-", limit[32] = "-";

    assert_int_equal(change->at.wall_ms, change->at.mono_ms + WALL);
    if (!st->first_id[0])
        (void)text_copy(st->first_id, sizeof st->first_id, a->id);
    if (change->has_value)
        (void)text_format(value, sizeof value, "%g", change->value);
    if (change->has_limit)
        (void)text_format(limit, sizeof limit, "%g", change->limit);
    (void)text_format(text, sizeof text, "%s%lld %s %s>%s", st->length ? "; " : "",
                      (long long)change->at.mono_ms, alarm_event_name(change->event), level_name(change->was),
                      level_name(a->level));
    stage_put(st, text);
    if (strcmp(a->rule, "r") != 0 || strcmp(a->point, "d.a") != 0) {
        (void)text_format(text, sizeof text, " %s %s", a->rule, a->point[0] ? a->point : "-");
        stage_put(st, text);
    }
    (void)text_format(text, sizeof text, " %s/%s%s", value, limit, a->acked ? " acked" : "");
    stage_put(st, text);
    if (change->comment && change->event != ALARM_ACK) {
        (void)text_format(text, sizeof text, " (%s)", change->comment);
        stage_put(st, text);
    }
}

/* "<name>:<duration>" */
static inline void stage_permit(struct stage *st, const char *text, struct moment at)
{
    const struct site *site = st->site;
    char name[TEXT_ID_MAX + 1] = "", time[16] = "";
    int64_t ms = 0;

    assert_int_equal(sscanf(text, "%64[^:]:%15[a-z0-9]", name, time), 2);
    if (strcmp(time, "0") != 0)
        assert_int_equal(text_duration(time, &ms), RG_OK);
    for (uint32_t i = 0; i < site->permit_count; i++) {
        if (strcmp(site->permits[i].name, name) == 0) {
            rules_permit(st->rules, i, ms > 0 ? at.mono_ms + ms : INT64_MIN, at);
            return;
        }
    }
    fail_msg("no permit %s", name);
}

static inline void stage_restore(struct stage *st, const char *text)
{
    int number = 1;

    for (const char *p = text; p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL) {
        struct alarm alarm = {.raised_ms = WALL - 1000 + number};
        char level[16], words[2][16] = {"", ""};

        if (strncmp(p, "permit=", 7) == 0) {
            stage_permit(st, p + 7, (struct moment){0, WALL});
            continue;
        }
        assert_true(sscanf(p, "%64s %64s %15[a-z] %15[a-z] %15[a-z]", alarm.rule, alarm.point, level,
                           words[0], words[1]) >= 3);
        assert_int_equal(level_parse(level, &alarm.level), RG_OK);
        if (strcmp(alarm.point, "-") == 0)
            alarm.point[0] = '\0';
        for (int i = 0; i < 2; i++) {
            alarm.acked = alarm.acked || strcmp(words[i], "acked") == 0;
            alarm.suppressed = alarm.suppressed || strcmp(words[i], "suppressed") == 0;
        }
        (void)text_format(alarm.id, sizeof alarm.id, "gw-01-%d", number++);
        assert_int_equal(rules_restore(st->rules, &alarm), RG_OK);
    }
}

static inline enum quality stage_quality(const char *name)
{
    for (int i = 0; i < QUALITY_COUNT; i++) {
        if (strcmp(quality_name((enum quality)i), name) == 0)
            return (enum quality)i;
    }
    fail_msg("no quality %s", name);
    return QUALITY_GOOD;
}

/* "a=1,b=!comm": heard unless every reading is !comm. */
static inline void stage_feed(struct stage *st, char *text, struct moment at)
{
    struct sample samples[4];
    struct frame frame = {.at = at, .samples = samples};
    char *rest = NULL;

    for (char *item = strtok_r(text, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        struct sample *s = &samples[frame.count++];
        char full[80], *value = strchr(item, '=');

        assert_non_null(value);
        *value++ = '\0';
        (void)text_format(full, sizeof full, "%s%s", strchr(item, '.') ? "" : "d.", item);
        *s = (struct sample){.point = support_site_point(st->site, full)};
        frame.device = st->site->points[s->point].device;
        if (*value == '!')
            s->quality = stage_quality(value + 1);
        else
            s->value = strtod(value, NULL);
        if (st->site->points[s->point].type == TYPE_F32)
            s->value = (double)(float)s->value;
        if (s->quality != QUALITY_COMM)
            frame.heard = true;
    }
    rules_frame(st->rules, &frame);
}

static inline int64_t stage_duration(const char *text)
{
    int64_t ms = 0;

    assert_int_equal(text_duration(text, &ms), RG_OK);
    return ms;
}

static inline void stage_act(struct stage *st, char *what, struct moment at)
{
    if (strcmp(what, "tick") == 0)
        rules_tick(st->rules, at);
    else if (strcmp(what, "mute") == 0)
        rules_frame(st->rules, &(struct frame){.at = at});
    else if (strcmp(what, "ack") == 0)
        assert_int_equal(rules_ack(st->rules, st->first_id, "Li", "seen", at), RG_OK);
    else if (strncmp(what, "permit=", 7) == 0)
        stage_permit(st, what + 7, at);
    else if (strncmp(what, "shelve=", 7) == 0)
        assert_int_equal(rules_shelve(st->rules, st->first_id, stage_duration(what + 7), "Li", NULL, at),
                         RG_OK);
    else if (strcmp(what, "unshelve") == 0)
        assert_int_equal(rules_unshelve(st->rules, st->first_id, "Li", NULL, at), RG_OK);
    else
        stage_feed(st, what, at);
}

/* On a site of the caller's. */
static inline void stage_open(struct stage *st, const struct site *site, const char *restored)
{
    st->site = site;
    assert_int_equal(rules_create(st->site, 100, stage_change_cb, st, &st->rules), RG_OK);
    stage_restore(st, restored);
    rules_start(st->rules, (struct moment){0, WALL});
}

/* text: of the whole site when it has lines, else of the rule on d.a. */
static inline void stage_begin(struct stage *st, const char *text, const char *restored)
{
    char whole[2048];

    *st = (struct stage){0};
    assert_true(text_format(whole, sizeof whole, "%s%s", strchr(text, '\n') ? "" : STAGE_DEVICE, text));
    support_site_build(&st->support, whole);
    stage_open(st, &st->support.site, restored);
}

/* A reload, as the daemon does one: another site (built by the caller), the alarms and the permits go on. */
static inline void stage_restore_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

static inline void stage_reload(struct stage *st, const char *text, struct moment at)
{
    struct support_site *next = st->is_reloaded ? &st->support : &st->reloaded;
    struct rules *old = st->rules;
    const struct site *before = st->site;
    char whole[2048];

    assert_true(text_format(whole, sizeof whole, "%s%s", strchr(text, '\n') ? "" : STAGE_DEVICE, text));
    support_site_build(next, whole);
    rules_tick(old, at);
    assert_int_equal(rules_create(&next->site, rules_next_alarm(old), stage_change_cb, st, &st->rules),
                     RG_OK);
    st->site = &next->site;
    rules_each(old, stage_restore_cb, st->rules);
    for (uint32_t i = 0; i < before->permit_count; i++) {
        for (uint32_t k = 0; k < next->site.permit_count; k++) {
            if (strcmp(next->site.permits[k].name, before->permits[i].name) == 0 &&
                rules_permit_until(old, i) != INT64_MIN)
                rules_permit(st->rules, k, rules_permit_until(old, i), at);
        }
    }
    rules_levels_from(st->rules, old);
    rules_start(st->rules, at);
    rules_inherit(st->rules, old);
    rules_destroy(old);
    support_site_free(st->is_reloaded ? &st->reloaded : &st->support);
    st->is_reloaded = !st->is_reloaded;
}

static inline void stage_end(struct stage *st)
{
    rules_destroy(st->rules);
    support_site_free(st->is_reloaded ? &st->reloaded : &st->support);
}

static inline void stage_tick_until(struct stage *st, enum stage_split split, int64_t from, int64_t to)
{
    if (split == SPLIT_EVERY_MS) {
        for (int64_t t = from; t <= to; t++)
            rules_tick(st->rules, (struct moment){t, t + WALL});
    } else if (split == SPLIT_DEADLINES) {
        for (int64_t t = rules_next_ms(st->rules); t <= to; t = rules_next_ms(st->rules))
            rules_tick(st->rules, (struct moment){t, t + WALL});
    }
}

static inline void stage_play(struct stage *st, const char *script, enum stage_split split)
{
    char text[2048], *rest = NULL;
    int64_t now = 0;

    assert_true(text_copy(text, sizeof text, script));
    for (char *item = strtok_r(text, " ", &rest); item; item = strtok_r(NULL, " ", &rest)) {
        char *what = NULL;
        int64_t at = strtoll(item, &what, 10);

        assert_int_equal(*what, ':');
        stage_tick_until(st, split, now, at);
        stage_act(st, what + 1, (struct moment){at, at + WALL});
        now = at;
    }
}

struct stage_row {
    const char *name, *rule, *script, *events, *restore;
    bool late; /* its script goes back in time: time is not split further */
};

static inline void stage_row(const struct stage_row *row, enum stage_split split)
{
    struct stage st;

    stage_begin(&st, row->rule, row->restore);
    stage_play(&st, row->script, split);
    if (strcmp(st.events, row->events) != 0)
        fail_msg("\n  row  %s (split %d)\n  want %s\n  got  %s", row->name, (int)split, row->events,
                 st.events);
    stage_end(&st);
}

/* Each with time split in three ways that must make no difference. */
static inline void stage_rows(const struct stage_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stage_row(&rows[i], SPLIT_NONE);
        if (rows[i].late)
            continue;
        stage_row(&rows[i], SPLIT_DEADLINES);
        stage_row(&rows[i], SPLIT_EVERY_MS);
    }
    print_message("%zu rows\n", count);
}

#endif
