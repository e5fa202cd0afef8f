/* Alarm records: their members, and whether each step may follow the one before. */
#include <string.h>

#include "gateway.h"
#include "json.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const char *const alarm_events[] = {"raise",  "escalate", "deescalate", "clear",     "ack",
                                           "shelve", "unshelve", "suppress",   "unsuppress"};

/* One record of an alarm, read. */
struct step {
    const char *id, *event;
    enum platform_level level, was;
    bool acked, shelved;
    int64_t seq;
};

static bool event_is(const struct step *s, const char *event)
{
    return strcmp(s->event, event) == 0;
}

static bool levels_fit(const struct step *s)
{
    if (event_is(s, "raise"))
        return s->was == PL_NONE && s->level > PL_NONE;
    if (event_is(s, "escalate"))
        return s->level > s->was && s->was > PL_NONE;
    if (event_is(s, "deescalate"))
        return s->level < s->was && s->level > PL_NONE;
    if (event_is(s, "clear"))
        return s->level == PL_NONE && s->was > PL_NONE;
    return s->level == s->was;
}

/* Of a vote the point is null and the members are listed; of any other alarm there are none. */
static bool points_fit(const cJSON *r)
{
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(r, "points"), *point;

    if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(r, "point")))
        return text_at(r, "point") && !points;
    if (!cJSON_IsArray(points))
        return false;
    cJSON_ArrayForEach(point, points)
    {
        if (!cJSON_IsString(point))
            return false;
    }
    return true;
}

/* What a step says by itself. */
static void check_step(const struct gateway *g, const cJSON *r, const struct step *s, struct violations *v)
{
    long long seq = (long long)s->seq;

    if (!levels_fit(s))
        violation(v, g, "alarm %lld: %s from %s to %s", seq, s->event, platform_level_name(s->was),
                  platform_level_name(s->level));
    if ((event_is(s, "ack") || event_is(s, "shelve")) && !text_at(r, "by"))
        violation(v, g, "alarm %lld: %s by nobody", seq, s->event);
    if ((event_is(s, "ack") && !s->acked) || ((event_is(s, "raise") || event_is(s, "escalate")) && s->acked))
        violation(v, g, "alarm %lld: %s, but acked is not so", seq, s->event);
    if ((event_is(s, "shelve") && !s->shelved) ||
        ((event_is(s, "raise") || event_is(s, "unshelve") || event_is(s, "escalate")) && s->shelved))
        violation(v, g, "alarm %lld: %s, but shelved is not so", seq, s->event);
    if (s->shelved != (cJSON_HasObjectItem(r, "shelved_until") != 0))
        violation(v, g, "alarm %lld: shelved_until goes with shelved", seq);
}

/* What a step says after those that are known; whole: nothing can have come between. */
static void check_order(const struct gateway *g, const struct alarm_view *a, const struct step *s,
                        struct violations *v)
{
    long long seq = (long long)s->seq;
    bool whole = a->whole && g->ledgers[KIND_ALARM].skip_top < a->seq;
    bool keeps = !event_is(s, "escalate") && !event_is(s, "ack");

    if (event_is(s, "raise") && a->seq)
        violation(v, g, "alarm %lld: %s is raised twice", seq, s->id);
    if (!whole)
        return;
    if (!event_is(s, "raise") && s->was != a->proper_level)
        violation(v, g, "alarm %lld: %s was %s, not %s", seq, s->id, platform_level_name(a->proper_level),
                  platform_level_name(s->was));
    if (a->proper_level == PL_NONE && !event_is(s, "ack"))
        violation(v, g, "alarm %lld: %s goes on after its end", seq, s->id);
    if (keeps && s->acked != a->acked)
        violation(v, g, "alarm %lld: %s says acked %s without a cause", seq, s->event,
                  s->acked ? "true" : "false");
    if (event_is(s, "ack") && a->acked)
        violation(v, g, "alarm %lld: %s is acknowledged twice", seq, s->id);
}

static void show(struct alarm_book *b, struct alarm_view *a, const cJSON *r, const struct step *s)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(r, "value");
    bool was_active = a->active;

    a->level = s->level;
    a->active = s->level > PL_NONE;
    a->shelved = s->shelved;
    a->test = true_at(r, "test");
    a->has_value = cJSON_IsNumber(value);
    a->value = a->has_value ? value->valuedouble : 0;
    (void)alarm_text(&a->rule, text_at(r, "rule"));
    (void)alarm_text(&a->point, text_at(r, "point"));
    (void)alarm_text(&a->area, text_at(r, "area"));
    (void)alarm_text(&a->label, text_at(r, "label"));
    (void)alarm_text(&a->message, text_at(r, "message"));
    (void)alarm_text(&a->unit, text_at(r, "unit"));
    if (event_is(s, "raise"))
        (void)whole_at(r, "ts", &a->raised_ts);
    alarm_settle(b, a, was_active);
}

static void follow(struct gateway *g, const cJSON *r, const struct step *s, struct violations *v)
{
    struct alarm_view *a = alarm_get(&g->alarms, s->id);

    if (!a) {
        violation(v, g, "alarm %lld: one more than can be followed", (long long)s->seq);
        return;
    }
    if (s->seq == 0) { /* unstored: only for the picture, until its record comes */
        show(&g->alarms, a, r, s);
        return;
    }
    if (s->seq < a->seq)
        return; /* one that comes late */
    check_order(g, a, s, v);
    if (event_is(s, "raise"))
        a->whole = true;
    a->seq = s->seq;
    a->proper_level = s->level;
    a->acked = s->acked;
    show(&g->alarms, a, r, s);
}

/* seq: -1 when the record came before, 0 when it is unstored. */
void check_alarm_record(struct gateway *g, const cJSON *r, int64_t seq, struct violations *v)
{
    static const struct member members[] = {
        {"alarm", M_TEXT},
        {"event", M_TEXT},
        {"level", M_LEVEL},
        {"was", M_LEVEL},
        {"acked", M_BOOL},
        {"shelved", M_BOOL},
        {"rule", M_TEXT},
        {"point", M_TEXT | M_NULL},
        {"area", M_TEXT | M_NULL},
        {"value", M_NUMBER | M_NULL},
        {"limit", M_NUMBER | M_NULL},
        {"unit", M_TEXT | M_NULL},
        {"label", M_TEXT | M_NULL},
        {"message", M_TEXT | M_NULL},
        {"by", M_TEXT | M_NULL},
        {"comment", M_TEXT | M_NULL},
        {"test", M_BOOL | M_OPTIONAL},
        {"first_out", M_BOOL | M_OPTIONAL},
        {"shelved_until", M_WHOLE | M_OPTIONAL},
    };
    const char *misfit = members_misfit(r, members, COUNT(members));
    const struct step s = {.id = text_at(r, "alarm"),
                           .event = text_at(r, "event"),
                           .level = platform_level(text_at(r, "level")),
                           .was = platform_level(text_at(r, "was")),
                           .acked = true_at(r, "acked"),
                           .shelved = true_at(r, "shelved"),
                           .seq = seq};

    if (misfit) {
        violation(v, g, "alarm %lld: %s is missing or wrong", (long long)seq, misfit);
        return;
    }
    if (!IN(alarm_events, s.event)) {
        violation(v, g, "alarm %lld: %.40s is no event of an alarm", (long long)seq, s.event);
        return;
    }
    if (!points_fit(r))
        violation(v, g, "alarm %lld: point and points do not fit", (long long)seq);
    check_step(g, r, &s, v);
    if (seq >= 0)
        follow(g, r, &s, v);
    if (seq >= 0 && true_at(r, "test") && event_is(&s, "raise"))
        g->self_tests++;
}
