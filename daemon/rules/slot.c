#include "rules/slot.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/text.h"

/* Limits and dead-bands are decimals: 1.1 - 0.2 must be 0.9, not 0.9000000000000001, or a value of exactly
 * 0.9 would leave a band it is still in. So the sum is rounded to the last place that the larger term surely
 * has (a double keeps DBL_DIG significant digits of any decimal). */
static double decimal_sum(double a, double b)
{
    double larger = fmax(fabs(a), fabs(b));
    char text[64];
    int places;

    if (!isfinite(a + b) || larger < 1e-20 || larger > 1e15)
        return a + b;
    places = DBL_DIG - 1 - (int)floor(log10(larger));
    if (!text_format(text, sizeof text, "%.*f", places > 0 ? places : 0, a + b))
        return a + b;
    return strtod(text, NULL);
}

static double precise(double value, bool single)
{
    return single && fabs(value) <= (double)FLT_MAX ? (double)(float)value : value;
}

void slot_rule_init(struct slot_rule *rule, const struct site_rule *conf, bool single)
{
    rule->conf = conf;
    rule->single = single;
    rule->quiet_min = -INFINITY;
    rule->quiet_max = INFINITY;
    rule->above[LEVEL_NONE] = rule->above_hold[LEVEL_NONE] = INFINITY;
    rule->below[LEVEL_NONE] = rule->below_hold[LEVEL_NONE] = -INFINITY;
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        double above = conf->has_above[i] ? conf->above[i] : INFINITY;
        double below = conf->has_below[i] ? conf->below[i] : -INFINITY;

        rule->above[i] = precise(above, single);
        rule->below[i] = precise(below, single);
        /* A limit of more digits than the rounding keeps must not end up outside its own band. */
        rule->above_hold[i] = precise(fmin(above, decimal_sum(above, -conf->deadband)), single);
        rule->below_hold[i] = precise(fmax(below, decimal_sum(below, conf->deadband)), single);
        rule->quiet_max = fmin(rule->quiet_max, rule->above[i]);
        rule->quiet_min = fmax(rule->quiet_min, rule->below[i]);
    }
}

bool slot_rule_has_level(const struct site_rule *conf, enum level level)
{
    if (level == LEVEL_NONE)
        return false;
    for (size_t i = 0; i < conf->is_count; i++) {
        if (conf->is[i].level == level)
            return true;
    }
    return conf->has_above[level] || conf->has_below[level];
}

void slot_init(struct slot *s)
{
    *s = (struct slot){.last = {INT64_MIN, 0}};
}

void slot_restore(struct slot *s, const struct slot_rule *rule, enum level level)
{
    slot_init(s);
    s->level = s->seen = s->high = s->low = (uint8_t)level;
    for (int i = LEVEL_BLUE; i <= (int)level; i++) {
        if (rule->conf->has_above[i])
            s->side[i] = SLOT_ABOVE;
        else if (rule->conf->has_below[i])
            s->side[i] = SLOT_BELOW;
    }
}

static enum level level_above(const struct slot_rule *rule, enum level reached, double value)
{
    enum level level = LEVEL_RED;

    while (level > LEVEL_NONE && value < (level <= reached ? rule->above_hold : rule->above)[level])
        level--;
    return level;
}

static enum level level_below(const struct slot_rule *rule, enum level reached, double value)
{
    enum level level = LEVEL_RED;

    while (level > LEVEL_NONE && value > (level <= reached ? rule->below_hold : rule->below)[level])
        level--;
    return level;
}

static enum level level_is(const struct slot_rule *rule, double value)
{
    enum level level = LEVEL_NONE;

    for (size_t i = 0; i < rule->conf->is_count; i++) {
        const struct rule_is *is = &rule->conf->is[i];

        if (is->level > level && value == precise(is->value, rule->single))
            level = is->level;
    }
    return level;
}

static enum level lower_of(enum level a, enum level b)
{
    return a < b ? a : b;
}

static enum level higher_of(enum level a, enum level b)
{
    return a > b ? a : b;
}

/* The level of a good reading, what each side holds noted. */
static enum level slot_read(struct slot *s, const struct slot_rule *rule, double value)
{
    enum level level, is;

    if (s->level == LEVEL_NONE && value < rule->quiet_max && value > rule->quiet_min &&
        rule->conf->is_count == 0) {
        s->high = s->low = LEVEL_NONE;
        return LEVEL_NONE;
    }
    s->high = (uint8_t)level_above(rule, lower_of(s->level, s->high), value);
    s->low = (uint8_t)level_below(rule, lower_of(s->level, s->low), value);
    is = level_is(rule, value);
    level = higher_of(is, higher_of(s->high, s->low));
    for (enum level i = LEVEL_BLUE; i <= level; i++)
        s->side[i] = s->high >= i ? SLOT_ABOVE : s->low >= i ? SLOT_BELOW : SLOT_IS;
    return level;
}

/* Starts the clocks that a reading of this level starts; those it breaks are no longer between level and
 * seen. */
static void slot_clocks(struct slot *s, enum level seen, struct moment at)
{
    enum level was = s->seen, level = s->level;

    if (seen > level) {
        bool run = s->phase == SLOT_RISING || s->phase == SLOT_FROZEN;

        for (enum level i = seen; i > (run ? was : level); i--)
            s->since[i] = at;
        s->phase = SLOT_RISING;
    } else if (seen < level) {
        bool run = s->phase == SLOT_FALLING;

        for (enum level i = seen; i < (run ? was : level); i++)
            s->since[i] = at;
        s->phase = SLOT_FALLING;
    } else {
        s->phase = SLOT_STEADY;
    }
    s->seen = (uint8_t)seen;
}

/* The level the alarm has a right to at an instant; its own when no delay has ended. */
static enum level slot_due(const struct slot *s, const struct slot_rule *rule, int64_t mono_ms)
{
    enum level level = s->level;

    if (s->phase == SLOT_RISING) {
        while (level < s->seen && s->since[level + 1].mono_ms + rule->conf->on_delay_ms <= mono_ms)
            level++;
    } else if (s->phase == SLOT_FALLING) {
        while (level > s->seen && s->since[level - 1].mono_ms + rule->conf->off_delay_ms <= mono_ms)
            level--;
    }
    return level;
}

/* The clocks between the new level and the last reading run on. */
static void slot_move(struct slot *s, enum level now, struct moment at, struct level_move *move)
{
    *move = (struct level_move){.was = s->level, .now = now, .at = at};
    s->level = (uint8_t)now;
    s->last = at;
    if (s->seen == now)
        s->phase = SLOT_STEADY;
}

bool slot_sample(struct slot *s, const struct slot_rule *rule, const struct sample *sample, struct moment at,
                 struct level_move *move)
{
    enum level now;

    if (at.mono_ms < s->last.mono_ms)
        at = s->last;
    s->last = at;
    if (sample->quality != QUALITY_GOOD || !isfinite(sample->value)) {
        if (s->phase == SLOT_RISING)
            s->phase = SLOT_FROZEN;
        else if (s->phase == SLOT_FALLING)
            s->phase = SLOT_STEADY;
        return false;
    }
    s->value = sample->value;
    s->has_value = true;
    slot_clocks(s, slot_read(s, rule, precise(sample->value, rule->single)), at);
    now = slot_due(s, rule, at.mono_ms);
    if (now == (enum level)s->level)
        return false;
    slot_move(s, now, at, move);
    return true;
}

int64_t slot_deadline(const struct slot *s, const struct slot_rule *rule)
{
    /* Of several clocks the one next to the alarm's level is the oldest. */
    switch ((enum slot_phase)s->phase) {
    case SLOT_RISING:
        return s->since[s->level + 1].mono_ms + rule->conf->on_delay_ms;
    case SLOT_FALLING:
        return s->since[s->level - 1].mono_ms + rule->conf->off_delay_ms;
    case SLOT_STEADY:
    case SLOT_FROZEN:
        break;
    }
    return INT64_MAX;
}

bool slot_expire(struct slot *s, const struct slot_rule *rule, struct level_move *move)
{
    int64_t delay = s->phase == SLOT_RISING ? rule->conf->on_delay_ms : rule->conf->off_delay_ms;
    int64_t deadline = slot_deadline(s, rule);
    enum level now;

    if (deadline == INT64_MAX)
        return false;
    now = slot_due(s, rule, deadline);
    slot_move(s, now, (struct moment){deadline, s->since[now].wall_ms + delay}, move);
    return true;
}

bool slot_limit(const struct slot *s, const struct slot_rule *rule, enum level level, double *limit)
{
    const struct site_rule *conf = rule->conf;
    enum slot_side side = s->side[level];

    /* The side may have no limit for this very level: then the next higher one was passed. */
    for (enum level i = level; side != SLOT_IS && i < LEVEL_COUNT; i++) {
        if (side == SLOT_ABOVE ? conf->has_above[i] : conf->has_below[i]) {
            *limit = side == SLOT_ABOVE ? conf->above[i] : conf->below[i];
            return true;
        }
    }
    return false;
}
