#include "rules/doubt.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "rules/heard.h"

void doubt_init(struct doubt *d)
{
    *d = (struct doubt){.last = {INT64_MIN, 0}, .read_ms = INT64_MIN, .quality = QUALITY_STALE};
}

void doubt_restore(struct doubt *d, const struct doubt_rule *rule)
{
    doubt_init(d);
    d->level = (uint8_t)rule->conf->level;
    /* Which sign it was is not kept: each that can only end by being seen to end holds the alarm. */
    d->signs = (uint8_t)(DOUBT_QUALITY | (rule->conf->flat_ms > 0 ? DOUBT_FLAT : 0u) |
                         (rule->conf->has_rate ? DOUBT_RATE : 0u) | (rule->conf->has_twin ? DOUBT_TWIN : 0u));
}

/* Whether a and b are more than `most` apart. Readings are decimals that a double or a float only comes near to: 22.3 and
 * 12.3 are not more than 10 apart. */
static bool apart(double a, double b, double most, bool single)
{
    double scale = fmax(fmax(fabs(a), fabs(b)), most);

    return fabs(a - b) - most > 4 * (single ? (double)FLT_EPSILON : DBL_EPSILON) * scale;
}

static void set(struct doubt *d, unsigned sign, bool shows)
{
    d->signs = (uint8_t)(shows ? d->signs | sign : d->signs & ~sign);
}

/* The time since the last reading belongs to the run if that one was good. */
static void run_on(struct doubt *d, const struct doubt_rule *rule, int64_t mono_ms)
{
    int64_t time;

    if (!d->running || d->quality != QUALITY_GOOD || d->run_ms >= rule->conf->flat_ms)
        return;
    time = mono_ms - d->read_ms;
    d->run_ms += time < rule->hold_ms + d->thinned_ms ? time : rule->hold_ms + d->thinned_ms;
}

static void run_take(struct doubt *d, const struct doubt_rule *rule, double value)
{
    double low = fmin(d->low, value), high = fmax(d->high, value);

    if (d->running && !apart(low, high, rule->conf->flat_band, rule->single)) {
        d->low = low;
        d->high = high;
        if (d->run_ms >= rule->conf->flat_ms)
            set(d, DOUBT_FLAT, true);
        return;
    }
    if (d->running)
        set(d, DOUBT_FLAT, false);
    d->running = true;
    d->low = d->high = value;
    d->run_ms = 0;
}

static void rate_take(struct doubt *d, const struct doubt_rule *rule, double value, int64_t mono_ms)
{
    int64_t time;

    if (d->quality != QUALITY_GOOD)
        return;
    time = mono_ms - d->read_ms;
    if (time > 0)
        set(d, DOUBT_RATE,
            apart(value, d->value, rule->conf->rate_per_s * ((double)time / 1000), rule->single));
}

/* The reading itself, without what it means for the alarm. */
static void take(struct doubt *d, const struct doubt_rule *rule, const struct sample *sample, int64_t mono_ms)
{
    enum quality quality = heard_quality(sample);

    if (rule->conf->flat_ms > 0)
        run_on(d, rule, mono_ms);
    if (quality == QUALITY_GOOD) {
        if (rule->conf->flat_ms > 0)
            run_take(d, rule, sample->value);
        if (rule->conf->has_rate)
            rate_take(d, rule, sample->value, mono_ms);
        d->value = sample->value;
        d->has_value = true;
    }
    d->quality = (uint8_t)quality;
    d->read_ms = mono_ms;
    d->thinned_ms = rule->thinned_ms;
}

void doubt_prime(struct doubt *d, const struct doubt_rule *rule, const struct sample *sample, int64_t mono_ms)
{
    unsigned signs = d->signs;

    take(d, rule, sample, mono_ms);
    /* A run that was seen to end ends its sign; nothing else of the past is judged. */
    d->signs = (uint8_t)(d->signs & DOUBT_FLAT ? signs : signs & ~DOUBT_FLAT);
}

void doubt_start(struct doubt *d, int64_t now_ms)
{
    if (d->running && d->read_ms > now_ms)
        d->running = false;
    d->quality = QUALITY_STALE;
    d->has_value = false;
}

void doubt_forget(struct doubt *d)
{
    d->running = false;
    d->quality = QUALITY_STALE;
    d->has_value = false;
}

static bool raise(struct doubt *d, const struct doubt_rule *rule, struct moment at, struct level_move *move)
{
    d->phase = DOUBT_STEADY;
    d->last = at;
    d->level = (uint8_t)rule->conf->level;
    *move = (struct level_move){.was = LEVEL_NONE, .now = rule->conf->level, .at = at};
    return true;
}

/* signs: those that are known to show now. */
static bool settle(struct doubt *d, const struct doubt_rule *rule, unsigned signs, struct moment at,
                   struct level_move *move)
{
    if (d->signs == 0) {
        d->phase = DOUBT_STEADY;
        if (d->level == LEVEL_NONE)
            return false;
        *move = (struct level_move){.was = d->level, .now = LEVEL_NONE, .at = at};
        d->level = LEVEL_NONE;
        return true;
    }
    if (d->level != LEVEL_NONE)
        return false;
    if (signs == 0) {
        d->phase = d->phase == DOUBT_STEADY ? DOUBT_STEADY : DOUBT_FROZEN;
        return false;
    }
    if (d->phase == DOUBT_STEADY)
        d->since = at;
    d->phase = DOUBT_RISING;
    if (signs & DOUBT_RATE || d->since.mono_ms + rule->conf->after_ms <= at.mono_ms)
        return raise(d, rule, at, move);
    return false;
}

/* While the point's own reading is good: what shows, the twin looked at. */
static bool settle_good(struct doubt *d, const struct doubt_rule *rule, struct moment at,
                        const struct doubt_twin *twin, struct level_move *move)
{
    unsigned known = DOUBT_FLAT | DOUBT_RATE;

    if (rule->conf->has_twin && twin->known) {
        set(d, DOUBT_TWIN, apart(d->value, twin->value, rule->conf->twin_within, rule->single));
        known |= DOUBT_TWIN;
    }
    return settle(d, rule, d->signs & known, at, move);
}

bool doubt_sample(struct doubt *d, const struct doubt_rule *rule, const struct sample *sample,
                  struct moment at, const struct doubt_twin *twin, struct level_move *move)
{
    if (at.mono_ms < d->last.mono_ms)
        at = d->last;
    d->last = at;
    take(d, rule, sample, at.mono_ms);
    if (d->quality == QUALITY_GOOD) {
        set(d, DOUBT_QUALITY, false);
        return settle_good(d, rule, at, twin, move);
    }
    if (doubt_believes((enum quality)d->quality))
        return settle(d, rule, 0, at, move);
    set(d, DOUBT_QUALITY, true);
    d->bad = d->quality;
    return settle(d, rule, DOUBT_QUALITY, at, move);
}

bool doubt_twin(struct doubt *d, const struct doubt_rule *rule, struct moment at,
                const struct doubt_twin *twin, struct level_move *move)
{
    if (d->quality != QUALITY_GOOD)
        return false;
    if (at.mono_ms < d->last.mono_ms)
        at = d->last;
    return settle_good(d, rule, at, twin, move);
}

int64_t doubt_deadline(const struct doubt *d, const struct doubt_rule *rule)
{
    return d->phase == DOUBT_RISING ? d->since.mono_ms + rule->conf->after_ms : INT64_MAX;
}

bool doubt_expire(struct doubt *d, const struct doubt_rule *rule, struct level_move *move)
{
    int64_t after = rule->conf->after_ms;

    if (d->phase != DOUBT_RISING)
        return false;
    return raise(d, rule, (struct moment){d->since.mono_ms + after, d->since.wall_ms + after}, move);
}

void doubt_text(const struct doubt *d, const char *twin, char out[DOUBT_TEXT_MAX])
{
    const struct {
        unsigned sign;
        const char *name, *of;
    } signs[] = {{DOUBT_QUALITY, quality_name((enum quality)d->bad), ""},
                 {DOUBT_FLAT, "flat", ""},
                 {DOUBT_RATE, "rate", ""},
                 {DOUBT_TWIN, "twin ", twin ? twin : ""}};
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < RG_COUNT(signs); i++) {
        /* After a restart it is not known which quality it was. */
        if (!(d->signs & signs[i].sign) || (signs[i].sign == DOUBT_QUALITY && d->bad == QUALITY_GOOD))
            continue;
        (void)text_format(out + used, DOUBT_TEXT_MAX - used, "%s%s%s", used ? ", " : "", signs[i].name,
                          signs[i].of);
        used = strlen(out);
    }
}

bool doubt_same(const struct site_doubt *a, const struct site_doubt *b)
{
    return a->level == b->level && a->after_ms == b->after_ms && a->flat_ms == b->flat_ms &&
           a->flat_band == b->flat_band && a->has_rate == b->has_rate && a->rate_per_s == b->rate_per_s &&
           a->has_twin == b->has_twin && a->twin_within == b->twin_within;
}
