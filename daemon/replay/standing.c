#include "replay/standing.h"

#include <stdlib.h>
#include <string.h>

void standing_free(struct standing *s)
{
    free(s->alarms);
    *s = (struct standing){0};
}

static struct alarm *add(struct standing *s)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct alarm *grown = realloc(s->alarms, room * sizeof *grown);

        if (!grown)
            return NULL;
        s->alarms = grown;
        s->room = room;
    }
    s->alarms[s->count] = (struct alarm){0};
    return &s->alarms[s->count++];
}

static struct alarm *find(const struct standing *s, const char *id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->alarms[i].id, id) == 0)
            return &s->alarms[i];
    }
    return NULL;
}

static void copy(char *out, size_t size, const struct json *note, const char *key)
{
    const char *text = json_string(json_get(note, key));

    (void)text_copy(out, size, text ? text : "");
}

/* "<gateway>-<number>": the number after the last '-', or 0. */
static uint64_t number_of(const char *id)
{
    const char *dash = strrchr(id, '-');
    uint64_t number = 0;

    for (const char *p = dash ? dash + 1 : ""; *p >= '0' && *p <= '9' && number < INT64_MAX / 10; p++)
        number = number * 10 + (uint64_t)(*p - '0');
    return number;
}

bool standing_note(struct standing *s, const struct json *note, int64_t ts)
{
    const char *id = json_string(json_get(note, "alarm"));
    const char *event = json_string(json_get(note, "event"));
    const char *level = json_string(json_get(note, "level"));
    struct alarm *a = id ? find(s, id) : NULL;

    if (!id || !event || !level || json_bool(json_get(note, "test"), false))
        return true; /* no record of ours, or of a self test: nothing stands because of it */
    if (number_of(id) >= s->next_alarm)
        s->next_alarm = number_of(id) + 1;
    if (strcmp(event, alarm_event_name(ALARM_CLEAR)) == 0) {
        if (a)
            *a = s->alarms[--s->count];
        return true;
    }
    if (!a) {
        a = add(s);
        if (!a)
            return false;
        copy(a->id, sizeof a->id, note, "alarm");
        copy(a->rule, sizeof a->rule, note, "rule");
        copy(a->point, sizeof a->point, note, "point");
        copy(a->area, sizeof a->area, note, "area");
        a->raised_ms = ts;
        a->first_out = json_bool(json_get(note, "first_out"), false);
    }
    if (level_parse(level, &a->level) != RG_OK)
        a->level = LEVEL_NONE;
    a->acked = json_bool(json_get(note, "acked"), false);
    a->shelved = json_bool(json_get(note, "shelved"), false);
    a->shelved_until_ms = a->shelved ? json_int(json_get(note, "shelved_until"), ts) : 0;
    if (strcmp(event, alarm_event_name(ALARM_SUPPRESS)) == 0)
        a->suppressed = true;
    if (strcmp(event, alarm_event_name(ALARM_UNSUPPRESS)) == 0)
        a->suppressed = false;
    if (strcmp(event, alarm_event_name(ALARM_ACK)) == 0) {
        a->acked_ms = ts;
        copy(a->acked_by, sizeof a->acked_by, note, "by");
    }
    return true;
}

bool standing_change(const struct json *note, struct moment at, struct alarm *alarm, struct alarm_change *out)
{
    const char *event = json_string(json_get(note, "event"));
    const char *level = json_string(json_get(note, "level"));
    const char *was = json_string(json_get(note, "was"));
    int e = ALARM_RAISE;

    *alarm = (struct alarm){.raised_ms = at.wall_ms};
    *out = (struct alarm_change){.at = at, .alarm = alarm};
    while (event && e <= ALARM_UNSUPPRESS && strcmp(event, alarm_event_name((enum alarm_event)e)) != 0)
        e++;
    if (!event || e > ALARM_UNSUPPRESS || !level || level_parse(level, &alarm->level) != RG_OK || !was ||
        level_parse(was, &out->was) != RG_OK || json_bool(json_get(note, "test"), false))
        return false;
    out->event = (enum alarm_event)e;
    alarm->suppressed = out->event == ALARM_SUPPRESS;
    copy(alarm->id, sizeof alarm->id, note, "alarm");
    copy(alarm->rule, sizeof alarm->rule, note, "rule");
    copy(alarm->point, sizeof alarm->point, note, "point");
    return true;
}

static void take_cb(void *arg, const struct alarm *alarm)
{
    struct standing *s = arg;
    struct alarm *a = add(s);

    if (!a) {
        s->error = RG_ENOMEM;
        return;
    }
    *a = *alarm;
    a->raised_mono_ms = 0; /* the next run has another monotonic clock */
}

enum rg_err standing_take(struct standing *s, const struct rules *r)
{
    s->count = 0;
    s->error = RG_OK;
    rules_each(r, take_cb, s);
    return s->error;
}

static int order(const void *x, const void *y)
{
    const struct alarm *a = x, *b = y;

    if (a->raised_ms != b->raised_ms)
        return a->raised_ms < b->raised_ms ? -1 : 1;
    return strcmp(a->id, b->id);
}

void standing_sort(struct standing *s)
{
    if (s->count > 1)
        qsort(s->alarms, s->count, sizeof *s->alarms, order);
}
