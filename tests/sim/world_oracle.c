/* The alarms as the plant's own log demands them: written from the contract, sharing nothing with the rule engine.
 *
 * The limits are those of world_config.c; red on p0 may change between RED_LOW and RED_HIGH, and no excursion lies there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "world.h"

#define RED_LOW 38
#define RED_HIGH 43
#define IDS 8192

enum oracle_rule {
    HIGH,
    NOW,
    LOW,
    OFFLINE,
    DOUBT
}; /* the first three watch the point of that number; DOUBT p0 */
#define RULES 5
static const char *const rule_names[RULES] = {"high", "now", "low", "offline", "doubt"};

struct record {
    int64_t seq, at_ms; /* monotonic */
    const char *event;  /* a literal */
    enum level level, was;
    enum oracle_rule rule;
    unsigned device;
    double limit;
    bool dropped; /* cleared because it is no longer configured */
};

struct step {
    int64_t at_ms;
    enum level level; /* from then on */
};

struct oracle {
    const struct world *w;
    struct step *steps[RULES][WORLD_DEVICES];
    size_t counts[RULES][WORLD_DEVICES];
    struct occurrence_seen {
        unsigned long number; /* of its id */
        bool cleared;
    } * seen; /* [IDS] */
    size_t seen_count;
};

/* ---- what the readings say ---- */

static enum level level_of(enum oracle_rule rule, double value)
{
    if (rule == NOW)
        return value >= 50 ? LEVEL_RED : LEVEL_NONE;
    if (rule == LOW)
        return value <= 5 ? LEVEL_YELLOW : LEVEL_NONE;
    if (value >= RED_HIGH)
        return LEVEL_RED;
    return value >= 30 ? LEVEL_ORANGE : value >= 20 ? LEVEL_YELLOW : value >= 10 ? LEVEL_BLUE : LEVEL_NONE;
}

/* The highest level that the dead-band may still hold. */
static enum level held_of(enum oracle_rule rule, double value)
{
    if (rule == LOW)
        return value <= 5.5 ? LEVEL_YELLOW : LEVEL_NONE;
    if (rule == HIGH && value < RED_LOW)
        return level_of(rule, value + 1);
    return level_of(rule, value);
}

static int64_t off_delay(enum oracle_rule rule)
{
    return rule == HIGH ? WORLD_HIGH_OFF_MS : rule == LOW ? WORLD_LOW_OFF_MS : 0;
}

/* Index of the device's last transaction that ended at or before at_ms, or -1. */
static int64_t poll_before(const struct world_device *d, int64_t at_ms)
{
    size_t low = 0, high = d->poll_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (d->polls[middle].ended_ms <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return (int64_t)low - 1;
}

static int64_t on_delay(enum oracle_rule rule)
{
    return rule == HIGH ? WORLD_HIGH_ON_MS : rule == DOUBT ? WORLD_DOUBT_ON_MS : 0;
}

/* The poll says yes or no to the rule. */
static bool is_known(enum oracle_rule rule, const struct world_poll *poll)
{
    return poll->good || (rule == DOUBT && poll->sensor);
}

static double value_of(const struct oracle *o, const struct record *r, const struct world_poll *poll)
{
    return world_value(o->w, r->device, (unsigned)r->rule, poll->ended_ms);
}

/* What the poll, which is known, gives. */
static enum level level_at(const struct oracle *o, enum oracle_rule rule, unsigned device,
                           const struct world_poll *poll)
{
    if (rule == DOUBT)
        return poll->sensor ? LEVEL_YELLOW : LEVEL_NONE;
    return level_of(rule, world_value(o->w, device, (unsigned)rule, poll->ended_ms));
}

/* ---- each record had its readings ---- */

static void reject(const struct oracle *o, const struct record *r, const char *why)
{
    world_fail(o->w, "alarm %lld (%s of %s on d%u, %s to %s, at %lld): %s", (long long)r->seq, r->event,
               rule_names[r->rule], r->device, level_name(r->was), level_name(r->level), (long long)r->at_ms,
               why);
}

/* The bus was down for a while: its devices' points were told bad without being asked. */
static bool bus_broke(const struct oracle *o, unsigned device, int64_t after_ms, int64_t before_ms)
{
    for (unsigned i = device % o->w->plan.buses; i < WORLD_DEVICES; i += o->w->plan.buses) {
        const struct world_device *d = &o->w->devices[i];

        for (int64_t k = poll_before(d, before_ms); k >= 0 && d->polls[k].ended_ms >= after_ms; k--) {
            if (d->polls[k].broken)
                return true;
        }
    }
    return false;
}

/* A reload begins a new run: a rule that it changed begins anew there, one that it left alone goes on. Which of the two it was for a
 * record is not known here, so its readings may be found `across` the reloads of one life, or in one run. */
static bool together(const struct world_poll *a, const struct world_poll *b, bool across)
{
    return a->life == b->life && (across || a->run == b->run);
}

/* Up: a reading at the level, and none below it for the on-delay. Bad readings in between break nothing, but as long as the last one
 * was bad nothing is raised: then the good one that follows decides, at its own instant when the delay is over by then. */
static const char *check_up(const struct oracle *o, const struct record *r, bool across)
{
    const struct world_device *d = &o->w->devices[r->device];
    int64_t i = poll_before(d, r->at_ms), delay = on_delay(r->rule);
    const struct world_poll *last = i >= 0 ? &d->polls[i] : NULL;
    bool now = false;   /* a known reading of this very instant is at the level */
    bool known = false; /* the last reading before was known */
    bool first = true;

    for (; i >= 0 && together(&d->polls[i], last, across); i--) {
        const struct world_poll *poll = &d->polls[i];
        int64_t since = r->at_ms - poll->ended_ms;
        bool there = is_known(r->rule, poll) && level_at(o, r->rule, r->device, poll) >= r->level;

        if (since == 0 && delay > 0) {
            now = there; /* a deadline comes before a reading of its own instant */
            continue;
        }
        if (first)
            known = is_known(r->rule, poll);
        first = false;
        if (!is_known(r->rule, poll))
            continue;
        if (!there)
            break;
        if (since == delay && (known || now))
            return NULL;
        if (since > delay && now && (!known || bus_broke(o, r->device, poll->ended_ms, r->at_ms)))
            return NULL;
    }
    return "no readings led to it";
}

/* Whether the reading keeps the alarm above the level it was lowered to: it is at a higher level, or within that one's dead-band and
 * no reading since has been past the band. What a restart put back holds like a reading. */
static bool still_holds(const struct oracle *o, const struct record *r, int64_t i, bool across)
{
    const struct world_device *d = &o->w->devices[r->device];
    const struct world_poll *last = &d->polls[i];

    if (r->rule == DOUBT)
        return !last->good; /* it ends at once */
    for (; i >= 0 && together(&d->polls[i], last, across); i--) {
        double value = value_of(o, r, &d->polls[i]);

        if (!d->polls[i].good)
            continue;
        if (level_of(r->rule, value) > r->level)
            return true;
        if (held_of(r->rule, value) <= r->level)
            return false;
    }
    return true;
}

/* Down: a good reading that much lower, and good ones only, as low, for the off-delay. */
static const char *check_down(const struct oracle *o, const struct record *r, bool across)
{
    const struct world_device *d = &o->w->devices[r->device];
    int64_t i = poll_before(d, r->at_ms), delay = off_delay(r->rule);
    const struct world_poll *last = i >= 0 ? &d->polls[i] : NULL;

    for (; i >= 0 && together(&d->polls[i], last, across); i--) {
        const struct world_poll *poll = &d->polls[i];
        int64_t since = r->at_ms - poll->ended_ms;

        /* A deadline comes before a reading of its own instant. */
        if (since == 0 && delay > 0)
            continue;
        if (!poll->good)
            return "a bad reading was among those that lowered it";
        if (still_holds(o, r, i, across))
            return "a reading still held it";
        if (since == delay)
            return NULL;
        if (since > delay)
            break;
    }
    return "no readings lowered it";
}

static void check_readings(const struct oracle *o, const struct record *r)
{
    const char *(*check)(const struct oracle *, const struct record *, bool) =
        r->level > r->was ? check_up : check_down;
    const char *why = check(o, r, false);

    if (why && check(o, r, true))
        reject(o, r, why);
}

static void check_silence(const struct oracle *o, const struct record *r)
{
    const struct world_device *d = &o->w->devices[r->device];
    int64_t i = poll_before(d, r->at_ms);

    if (strcmp(r->event, "clear") == 0) {
        if (i < 0 || d->polls[i].ended_ms != r->at_ms || !d->polls[i].heard)
            reject(o, r, "it was not heard then");
        return;
    }
    if (i >= 0 && d->polls[i].ended_ms == r->at_ms)
        i--; /* a deadline comes before a reading of its own instant */
    for (; i >= 0 && d->polls[i].ended_ms > r->at_ms - o->w->plan.offline_ms; i--) {
        if (d->polls[i].heard)
            reject(o, r, "it was heard in the meantime");
    }
}

static void check_limit(const struct oracle *o, const struct record *r)
{
    static const double high[LEVEL_COUNT] = {0, 10, 20, 30, 40};
    enum level top = r->level > r->was ? r->level : r->was;
    bool fits = r->rule == NOW     ? r->limit == 50
                : r->rule == LOW   ? r->limit == 5
                : top == LEVEL_RED ? r->limit > RED_LOW && r->limit < RED_HIGH
                                   : r->limit == high[top];

    if (r->rule != OFFLINE && r->rule != DOUBT && !fits)
        reject(o, r, "its limit is not the one of that level");
}

/* ---- reading the stream ---- */

static enum level level_named(const struct oracle *o, const struct json *json, const char *key)
{
    enum level level = LEVEL_NONE;
    const char *name = json_string(json_get(json, key));

    WORLD_CHECK(o->w, name && level_parse(name, &level) == RG_OK, "an alarm record has no %s", key);
    return level;
}

static void note_id(struct oracle *o, const struct record *r, const char *id)
{
    unsigned long n = 0;
    size_t i = 0;

    if (!id || sscanf(id, WORLD_GATEWAY "-%lu", &n) != 1)
        reject(o, r, "its id is none");
    while (i < o->seen_count && o->seen[i].number != n)
        i++;
    if (strcmp(r->event, "raise") == 0) {
        if (i < o->seen_count)
            reject(o, r, "its id was there before");
        WORLD_CHECK(o->w, i < IDS, "too many alarms");
        o->seen[o->seen_count++].number = n;
    }
    if (i == o->seen_count || o->seen[i].cleared)
        reject(o, r, "its occurrence has not begun or is over");
    o->seen[i].cleared = strcmp(r->event, "clear") == 0;
}

static void note_step(struct oracle *o, const struct record *r)
{
    size_t n = o->counts[r->rule][r->device]++;
    struct step **steps = &o->steps[r->rule][r->device];
    enum level before = n > 0 ? (*steps)[n - 1].level : LEVEL_NONE;

    if (r->was != before)
        reject(o, r, "it was at another level before");
    if (n > 0 && (*steps)[n - 1].at_ms > r->at_ms)
        reject(o, r, "it is earlier than the one before");
    *steps = realloc(*steps, (n + 1) * sizeof **steps);
    WORLD_CHECK(o->w, *steps, "out of memory");
    (*steps)[n] = (struct step){.at_ms = r->at_ms, .level = r->level};
}

static struct record read_record(const struct oracle *o, const struct json *json)
{
    static const char *const events[] = {"raise", "escalate", "deescalate", "clear",
                                         "ack",   "shelve",   "unshelve"};
    const char *event = json_string(json_get(json, "event")), *rule = json_string(json_get(json, "rule"));
    const char *point = json_string(json_get(json, "point"));
    struct record r = {.seq = json_int(json_get(json, "seq"), 0),
                       .at_ms = json_int(json_get(json, "ts"), 0) - VIRTUAL_WALL_MS + VIRTUAL_MONO_MS,
                       .level = level_named(o, json, "level"),
                       .was = level_named(o, json, "was"),
                       .limit = json_double(json_get(json, "limit"), 0)};
    const char *comment;
    unsigned signal = 0;

    for (size_t i = 0; i < RG_COUNT(events); i++) {
        if (event && strcmp(event, events[i]) == 0)
            r.event = events[i];
    }
    for (int i = 0; i < RULES; i++) {
        if (rule && strcmp(rule, rule_names[i]) == 0)
            r.rule = (enum oracle_rule)i;
    }
    WORLD_CHECK(o->w,
                r.event && point && sscanf(point, "d%u.p%u", &r.device, &signal) >= 1 &&
                    r.device < WORLD_DEVICES,
                "alarm %lld cannot be understood", (long long)r.seq);
    comment = json_string(json_get(json, "comment"));
    WORLD_CHECK(
        o->w, r.rule != DOUBT || strcmp(r.event, "raise") != 0 || (comment && strcmp(comment, "sensor") == 0),
        "alarm %lld does not say what is doubted", (long long)r.seq);
    r.dropped = strcmp(r.event, "clear") == 0 && comment;
    return r;
}

static void take(struct oracle *o, const struct json *json)
{
    struct record r = read_record(o, json);

    note_id(o, &r, json_string(json_get(json, "alarm")));
    note_step(o, &r);
    if (r.dropped || r.level == r.was)
        return;
    check_limit(o, &r);
    if (r.rule == OFFLINE)
        check_silence(o, &r);
    else
        check_readings(o, &r);
}

/* ---- nothing that had to be told is missing ---- */

static enum level told_at(const struct oracle *o, enum oracle_rule rule, unsigned device, int64_t at_ms)
{
    const struct step *steps = o->steps[rule][device];
    size_t low = 0, high = o->counts[rule][device];

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (steps[middle].at_ms <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? steps[low - 1].level : LEVEL_NONE;
}

/* Readings in a row, all good and at a level: once they last for the on-delay the alarm must stand at that level. */
static void demand_level(const struct oracle *o, enum oracle_rule rule, unsigned device)
{
    const struct world_device *d = &o->w->devices[device];
    int64_t delay = on_delay(rule);

    for (int level = LEVEL_BLUE; level <= LEVEL_RED; level++) {
        size_t first = SIZE_MAX;

        /* The very last reading of a run may not have reached the rules any more. */
        for (size_t i = 0; i + 1 < d->poll_count; i++) {
            const struct world_poll *poll = &d->polls[i];

            if (first != SIZE_MAX && d->polls[first].run != poll->run)
                first = SIZE_MAX;
            if (!is_known(rule, poll) || (int)level_at(o, rule, device, poll) < level)
                first = SIZE_MAX;
            else if (first == SIZE_MAX)
                first = i;
            if (first == SIZE_MAX || d->polls[i + 1].run != poll->run ||
                poll->ended_ms - d->polls[first].ended_ms < delay)
                continue;
            WORLD_CHECK(o->w, (int)told_at(o, rule, device, poll->ended_ms) >= level,
                        "rule %s on d%u at %lld: readings demand %s, the alarm says %s", rule_names[rule],
                        device, (long long)poll->ended_ms, level_name((enum level)level),
                        level_name(told_at(o, rule, device, poll->ended_ms)));
        }
    }
}

static void demand_silence(const struct oracle *o, unsigned device)
{
    const struct world_device *d = &o->w->devices[device];
    size_t heard = SIZE_MAX;

    for (size_t i = 0; i + 1 < d->poll_count; i++) {
        const struct world_poll *poll = &d->polls[i];
        int64_t due = 0;

        if (heard != SIZE_MAX && d->polls[heard].run != poll->run)
            heard = SIZE_MAX;
        due = heard != SIZE_MAX ? d->polls[heard].ended_ms + o->w->plan.offline_ms : INT64_MAX;
        if (due < poll->ended_ms && d->polls[i + 1].run == poll->run)
            WORLD_CHECK(o->w, told_at(o, OFFLINE, device, due) == LEVEL_YELLOW,
                        "d%u has been silent at %lld for long enough and no alarm says so", device,
                        (long long)due);
        if (poll->heard)
            heard = i;
    }
}

void world_check_alarms(struct world *w)
{
    const struct ledger *l = &w->platforms[0].gateway->ledgers[KIND_ALARM];
    struct oracle o = {.w = w, .seen = calloc(IDS, sizeof *o.seen)};

    WORLD_CHECK(w, o.seen, "out of memory");
    for (int64_t seq = 1; seq <= l->top; seq++) {
        const struct world_text *e = world_platform_text(&w->platforms[0], KIND_ALARM, seq);
        struct json *json = NULL;

        WORLD_CHECK(w, e && json_parse(e->text, e->length, 1 << 20, &json) == RG_OK, "alarm %lld is no JSON",
                    (long long)seq);
        take(&o, json);
        json_free(json);
    }
    for (unsigned device = 0; device < w->plan.devices; device++) {
        demand_level(&o, HIGH, device);
        demand_level(&o, NOW, device);
        demand_level(&o, LOW, device);
        demand_level(&o, DOUBT, device);
        demand_silence(&o, device);
    }
    for (unsigned rule = 0; rule < RULES; rule++) {
        for (unsigned device = 0; device < WORLD_DEVICES; device++)
            free(o.steps[rule][device]);
    }
    free(o.seen);
}
