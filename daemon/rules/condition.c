#include "rules/condition.h"

#include <math.h>

#include "rules/decimal.h"

void condition_rule_init(struct condition_rule *rule, const struct site_rule *conf, bool single)
{
    double above[LEVEL_COUNT], below[LEVEL_COUNT];

    rule->conf = conf;
    rule->single = single;
    for (int i = 0; i < LEVEL_COUNT; i++) {
        above[i] = conf->above_of[i] ? NAN : conf->above[i];
        below[i] = conf->below_of[i] ? NAN : conf->below[i];
    }
    condition_rule_limits(rule, above, below);
}

static void make_above(struct condition_rule *rule, int i, double told)
{
    double limit = isnan(told) ? INFINITY : told;

    rule->above_told[i] = told;
    rule->above[i] = decimal_precise(limit, rule->single);
    /* A limit of more digits than the rounding keeps must not end up outside its own band. */
    rule->above_hold[i] =
        decimal_precise(fmin(limit, decimal_sum(limit, -rule->conf->deadband)), rule->single);
    rule->quiet_max = fmin(rule->quiet_max, rule->above[i]);
}

static void make_below(struct condition_rule *rule, int i, double told)
{
    double limit = isnan(told) ? -INFINITY : told;

    rule->below_told[i] = told;
    rule->below[i] = decimal_precise(limit, rule->single);
    rule->below_hold[i] =
        decimal_precise(fmax(limit, decimal_sum(limit, rule->conf->deadband)), rule->single);
    rule->quiet_min = fmax(rule->quiet_min, rule->below[i]);
}

void condition_rule_limits(struct condition_rule *rule, const double above[LEVEL_COUNT],
                           const double below[LEVEL_COUNT])
{
    const struct site_rule *conf = rule->conf;

    rule->quiet_min = -INFINITY;
    rule->quiet_max = conf->is_count > 0 ? -INFINITY : INFINITY;
    rule->hidden = LEVEL_NONE;
    for (int i = LEVEL_NONE; i < LEVEL_COUNT; i++) {
        bool has_above = i > LEVEL_NONE && conf->has_above[i],
             has_below = i > LEVEL_NONE && conf->has_below[i];

        make_above(rule, i, has_above ? above[i] : INFINITY);
        make_below(rule, i, has_below ? below[i] : -INFINITY);
        if ((has_above && isnan(above[i])) || (has_below && isnan(below[i])))
            rule->hidden = (enum level)i;
    }
    if (rule->hidden > LEVEL_NONE)
        rule->quiet_max = -INFINITY;
}

bool condition_rule_follows(const struct site_rule *conf)
{
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        if (conf->above_of[i] || conf->below_of[i])
            return true;
    }
    return false;
}

bool condition_rule_has_level(const struct site_rule *conf, enum level level)
{
    if (level == LEVEL_NONE)
        return false;
    for (size_t i = 0; i < conf->is_count; i++) {
        if (conf->is[i].level == level)
            return true;
    }
    return conf->has_above[level] || conf->has_below[level];
}

void condition_init(struct condition *c)
{
    *c = (struct condition){0};
}

void condition_restore(struct condition *c, const struct condition_rule *rule, enum level level)
{
    condition_init(c);
    c->high = c->low = (uint8_t)level;
    for (int i = LEVEL_BLUE; i <= (int)level; i++) {
        if (rule->conf->has_above[i])
            c->side[i] = SIDE_ABOVE;
        else if (rule->conf->has_below[i])
            c->side[i] = SIDE_BELOW;
    }
}

static enum level level_above(const struct condition_rule *rule, enum level reached, double value)
{
    enum level level = LEVEL_RED;

    while (level > LEVEL_NONE && value < (level <= reached ? rule->above_hold : rule->above)[level])
        level--;
    return level;
}

static enum level level_below(const struct condition_rule *rule, enum level reached, double value)
{
    enum level level = LEVEL_RED;

    while (level > LEVEL_NONE && value > (level <= reached ? rule->below_hold : rule->below)[level])
        level--;
    return level;
}

static enum level level_is(const struct condition_rule *rule, double value)
{
    enum level level = LEVEL_NONE;

    for (size_t i = 0; i < rule->conf->is_count; i++) {
        const struct rule_is *is = &rule->conf->is[i];

        if (is->level > level && value == decimal_precise(is->value, rule->single))
            level = is->level;
    }
    return level;
}

bool condition_rests(const struct condition_rule *rule, double value)
{
    return level_above(rule, LEVEL_NONE, value) == LEVEL_NONE &&
           level_below(rule, LEVEL_NONE, value) == LEVEL_NONE && level_is(rule, value) == LEVEL_NONE;
}

static enum level lower_of(enum level a, enum level b)
{
    return a < b ? a : b;
}

static enum level higher_of(enum level a, enum level b)
{
    return a > b ? a : b;
}

/* The highest level, from those that are reached on up, that a side may have: no known limit lies between. told: of the side. */
static enum level most_of(const double told[LEVEL_COUNT], const bool has[LEVEL_COUNT], enum level reached)
{
    enum level most = reached;

    for (int i = (int)reached + 1; i < LEVEL_COUNT; i++) {
        if (!has[i])
            continue;
        if (!isnan(told[i]))
            break;
        most = (enum level)i;
    }
    return most;
}

/* The level of a good value, what each side holds noted. Where a limit is hidden nothing that was reached is taken back. */
static struct verdict judge_good(struct condition *c, const struct condition_rule *rule, enum level reached,
                                 double value)
{
    enum level high = level_above(rule, lower_of(reached, c->high), value);
    enum level low = level_below(rule, lower_of(reached, c->low), value);
    enum level level = higher_of(level_is(rule, value), higher_of(high, low));
    enum level most = higher_of(level, higher_of(most_of(rule->above_told, rule->conf->has_above, high),
                                                 most_of(rule->below_told, rule->conf->has_below, low)));
    bool sure = level >= rule->hidden;

    for (enum level i = LEVEL_BLUE; i <= level && i < LEVEL_COUNT; i++)
        c->side[i] = high >= i ? SIDE_ABOVE : low >= i ? SIDE_BELOW : SIDE_IS;
    c->high = (uint8_t)(sure ? high : higher_of(high, c->high));
    c->low = (uint8_t)(sure ? low : higher_of(low, c->low));
    return (struct verdict){level, sure, sure ? level : most};
}

/* What a bound proves: the limits it has passed, no dead-band. Nothing that was reached is taken back. */
static enum level judge_bound(struct condition *c, const struct condition_rule *rule,
                              enum reading_trust trust, double value)
{
    bool least = trust == READING_AT_LEAST;
    enum level level = least ? level_above(rule, LEVEL_NONE, value) : level_below(rule, LEVEL_NONE, value);
    uint8_t *held = least ? &c->high : &c->low;

    *held = (uint8_t)higher_of(*held, level);
    for (enum level i = LEVEL_BLUE; i <= level && i < LEVEL_COUNT; i++)
        c->side[i] = least ? SIDE_ABOVE : SIDE_BELOW;
    return level;
}

void condition_note(struct condition *c, const struct reading *reading)
{
    if (reading->trust == READING_BAD || !isfinite(reading->value)) {
        c->trust = READING_BAD;
        return;
    }
    c->trust = (uint8_t)reading->trust;
    c->value = reading->value;
    c->has_value = true;
}

struct reading condition_last(const struct condition *c)
{
    return (struct reading){c->value, (enum reading_trust)c->trust};
}

struct verdict condition_judge(struct condition *c, const struct condition_rule *rule, enum level reached,
                               const struct reading *reading)
{
    double value;

    condition_note(c, reading);
    if (c->trust == READING_BAD)
        return VERDICT_UNKNOWN;
    value = decimal_precise(reading->value, rule->single);
    if (c->trust != READING_GOOD)
        return (struct verdict){judge_bound(c, rule, reading->trust, value), false, LEVEL_RED};
    if (value < rule->quiet_max && value > rule->quiet_min &&
        (reached == LEVEL_NONE || (c->high | c->low) == LEVEL_NONE)) {
        c->high = c->low = LEVEL_NONE;
        return (struct verdict){LEVEL_NONE, true, LEVEL_NONE};
    }
    return judge_good(c, rule, reached, value);
}

bool condition_limit(const struct condition *c, const struct condition_rule *rule, enum level level,
                     double *limit)
{
    const struct site_rule *conf = rule->conf;
    enum condition_side side = c->side[level];

    /* The side may have no limit for this very level: then the next higher one was passed. */
    for (enum level i = level; side != SIDE_IS && i < LEVEL_COUNT; i++) {
        if (side == SIDE_ABOVE ? conf->has_above[i] : conf->has_below[i]) {
            *limit = side == SIDE_ABOVE ? rule->above_told[i] : rule->below_told[i];
            return !isnan(*limit);
        }
    }
    return false;
}
