#include "rules/condition.h"

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

void condition_rule_init(struct condition_rule *rule, const struct site_rule *conf, bool single)
{
    rule->conf = conf;
    rule->single = single;
    rule->quiet_min = -INFINITY;
    rule->quiet_max = conf->is_count > 0 ? -INFINITY : INFINITY;
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

/* The level of a good value, what each side holds noted. */
static enum level judge_good(struct condition *c, const struct condition_rule *rule, enum level reached,
                             double value)
{
    enum level level;

    c->high = (uint8_t)level_above(rule, lower_of(reached, c->high), value);
    c->low = (uint8_t)level_below(rule, lower_of(reached, c->low), value);
    level = higher_of(level_is(rule, value), higher_of(c->high, c->low));
    for (enum level i = LEVEL_BLUE; i <= level; i++)
        c->side[i] = c->high >= i ? SIDE_ABOVE : c->low >= i ? SIDE_BELOW : SIDE_IS;
    return level;
}

/* What a bound proves: the limits it has passed, no dead-band. Nothing that was reached is taken back. */
static enum level judge_bound(struct condition *c, const struct condition_rule *rule,
                              enum reading_trust trust, double value)
{
    bool least = trust == READING_AT_LEAST;
    enum level level = least ? level_above(rule, LEVEL_NONE, value) : level_below(rule, LEVEL_NONE, value);
    uint8_t *held = least ? &c->high : &c->low;

    *held = (uint8_t)higher_of(*held, level);
    for (enum level i = LEVEL_BLUE; i <= level; i++)
        c->side[i] = least ? SIDE_ABOVE : SIDE_BELOW;
    return level;
}

struct verdict condition_judge(struct condition *c, const struct condition_rule *rule, enum level reached,
                               const struct reading *reading)
{
    double value;

    c->trust = isfinite(reading->value) ? (uint8_t)reading->trust : READING_BAD;
    if (c->trust == READING_BAD)
        return (struct verdict){LEVEL_NONE, false};
    value = precise(reading->value, rule->single);
    c->value = reading->value;
    c->has_value = true;
    if (reading->trust != READING_GOOD)
        return (struct verdict){judge_bound(c, rule, reading->trust, value), false};
    if (value < rule->quiet_max && value > rule->quiet_min &&
        (reached == LEVEL_NONE || (c->high | c->low) == LEVEL_NONE)) {
        c->high = c->low = LEVEL_NONE;
        return (struct verdict){LEVEL_NONE, true};
    }
    return (struct verdict){judge_good(c, rule, reached, value), true};
}

bool condition_limit(const struct condition *c, const struct condition_rule *rule, enum level level,
                     double *limit)
{
    const struct site_rule *conf = rule->conf;
    enum condition_side side = c->side[level];

    /* The side may have no limit for this very level: then the next higher one was passed. */
    for (enum level i = level; side != SIDE_IS && i < LEVEL_COUNT; i++) {
        if (side == SIDE_ABOVE ? conf->has_above[i] : conf->has_below[i]) {
            *limit = side == SIDE_ABOVE ? conf->above[i] : conf->below[i];
            return true;
        }
    }
    return false;
}
