/* What one point becomes. */
#include "convert/formula.h"
#include "convert/stage.h"

#include <math.h>

/* A value, or why there is none. */
struct reading {
    enum quality quality;
    double value;
};

static struct reading bad(enum quality quality)
{
    return (struct reading){.quality = quality};
}

/* A formula that has no value for what it was given. */
static struct reading outcome(enum rg_err err, double value)
{
    return err == RG_OK ? (struct reading){.quality = QUALITY_GOOD, .value = value} : bad(QUALITY_RANGE);
}

static struct reading operand(const struct convert *c, const struct site_operand *o)
{
    const struct state *s;
    double value;

    if (o->point == SITE_NONE)
        return (struct reading){.quality = QUALITY_GOOD, .value = o->plus};
    s = &c->states[o->point];
    if (s->quality != QUALITY_GOOD)
        return bad(s->quality);
    value = s->value * o->times + o->plus;
    return outcome(isfinite(value) ? RG_OK : RG_ERANGE, value);
}

/* The last word on every point: finite, and within its range. */
static struct reading checked(const struct site_point *p, struct reading r)
{
    if (r.quality != QUALITY_GOOD)
        return bad(r.quality);
    if (!isfinite(r.value) || (p->has_range && (r.value < p->range_min || r.value > p->range_max)))
        return bad(QUALITY_RANGE);
    return r;
}

/* ---- conversions ---- */

static enum rg_err wire_value(const struct site_convert *w, double reading, double *out)
{
    double digits = 0, constant = w->c;
    enum rg_err err = formula_wire_digits(w->input, reading, &digits);

    if (err == RG_OK && !w->polynomial)
        return formula_wire_linear(digits, w->zero, w->factor, w->sign, out);
    if (err == RG_OK && w->c_from_zero)
        err = formula_wire_c(w->a, w->b, w->zero, &constant);
    if (err == RG_OK)
        err = formula_wire_polynomial(digits, w->a, w->b, constant, out);
    return err;
}

static struct reading wire(const struct convert *c, const struct site_convert *w, double reading)
{
    double value = 0;
    enum rg_err err = wire_value(w, reading, &value);
    struct reading r;

    if (err == RG_OK && w->has_temperature) {
        r = operand(c, &w->temperature);
        if (r.quality != QUALITY_GOOD)
            return r;
        err = formula_wire_temperature(value, r.value, w->temperature_zero, w->temperature_factor, &value);
    }
    if (err == RG_OK && w->has_barometer) {
        r = operand(c, &w->barometer);
        if (r.quality != QUALITY_GOOD)
            return r;
        err = formula_wire_barometer(value, r.value, w->barometer_zero, &value);
    }
    return outcome(err, value);
}

static struct reading converted(const struct convert *c, const struct site_convert *k, double reading)
{
    double value = 0;
    enum rg_err err = RG_ERANGE;

    switch (k->kind) {
    case CONVERT_NONE:
        return (struct reading){.quality = QUALITY_GOOD, .value = reading};
    case CONVERT_TWO_POINT:
        err = formula_line(reading, k->entries, &value);
        break;
    case CONVERT_TABLE:
        err = formula_table(reading, k->entries, k->entry_count, &value);
        break;
    case CONVERT_THERMISTOR:
        err = formula_thermistor(reading, k->a, k->b, k->c, k->d, &value);
        break;
    case CONVERT_VIBRATING_WIRE:
        return wire(c, k, reading);
    case CONVERT_CONCENTRATION:
        err = k->to_ppm ? formula_ppm(reading, k->molar_mass, k->temperature_c, &value)
                        : formula_mg_m3(reading, k->molar_mass, k->temperature_c, &value);
        break;
    case CONVERT_PRESSURE:
        err = formula_pressure(reading, k->from, k->to, &value);
        break;
    }
    return outcome(err, value);
}

void convert_point(struct convert *c, uint32_t point, struct sample *sample)
{
    const struct site_point *p = &c->site->points[point];
    struct reading r = {.quality = sample->quality, .value = sample->value};

    /* One that is not converted went through its range when it was decoded. */
    if (p->convert) {
        if (r.quality == QUALITY_GOOD)
            r = converted(c, p->convert, sample->value);
        r = checked(p, r);
        sample->quality = r.quality;
        sample->value = r.value;
    }
    c->states[point].quality = r.quality;
    c->states[point].value = r.quality == QUALITY_GOOD ? r.value : 0;
}

/* ---- derived points ---- */

/* The first that is bad, or good: values holds them all then. */
static enum quality operands(const struct convert *c, const struct site_derived *d, double *values)
{
    for (size_t i = 0; i < d->operand_count; i++) {
        struct reading r = operand(c, &d->operands[i]);

        if (r.quality != QUALITY_GOOD)
            return r.quality;
        values[i] = r.value;
    }
    return QUALITY_GOOD;
}

static double sum_of(const double *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

static double furthest(const double *values, size_t count, double sign)
{
    double most = values[0];

    for (size_t i = 1; i < count; i++) {
        if (sign * values[i] > sign * most)
            most = values[i];
    }
    return most;
}

static enum rg_err beach(const double *v, size_t count, double *out)
{
    double slope = v[2];
    enum rg_err err = RG_OK;

    if (count > 3)
        err = formula_beach_slope(v[2], v[3], v[4], v[5], v[6], v[7], &slope);
    return err == RG_OK ? formula_beach_length(v[0], v[1], slope, out) : err;
}

static struct reading increase(struct state *s, const struct site_derived *d, double now)
{
    double value = 0;
    enum rg_err err = formula_increase(s->counted ? s->counter : 0, now, d->wrap, d->most, &value);
    bool first = !s->counted;

    if (err != RG_OK)
        return bad(QUALITY_RANGE);
    s->counted = true;
    s->counter = now;
    return first ? bad(QUALITY_STALE) : outcome(RG_OK, value);
}

static struct reading derive(struct state *s, const struct site_derived *d, const double *v)
{
    size_t n = d->operand_count;
    double value = 0;
    enum rg_err err = RG_OK;

    switch (d->kind) {
    case DERIVE_DIFFERENCE:
        value = v[0] - sum_of(v + 1, n - 1);
        break;
    case DERIVE_SUM:
        value = sum_of(v, n);
        break;
    case DERIVE_MEAN:
        value = sum_of(v, n) / (double)n;
        break;
    case DERIVE_MIN:
        value = furthest(v, n, -1);
        break;
    case DERIVE_MAX:
        value = furthest(v, n, 1);
        break;
    case DERIVE_BEACH:
        err = beach(v, n, &value);
        break;
    case DERIVE_BEACH_SLOPE:
        err = formula_beach_slope(v[0], v[1], v[2], v[3], v[4], v[5], &value);
        break;
    case DERIVE_FREEBOARD:
        err = formula_freeboard(v[0], v[1], &value);
        break;
    case DERIVE_INCREASE:
        return increase(s, d, v[0]);
    }
    return outcome(err, value);
}

void derive_point(struct convert *c, uint32_t point)
{
    const struct site_point *p = &c->site->points[point];
    double values[DERIVED_OPERANDS_MAX] = {0};
    struct state *s = &c->states[point];
    struct reading r = bad(operands(c, p->derived, values));

    if (r.quality == QUALITY_GOOD)
        r = derive(s, p->derived, values);
    if (r.quality == QUALITY_GOOD)
        r.value = (r.value * p->scaling.num + p->scaling.add) / p->scaling.den;
    r = checked(p, r);
    s->quality = r.quality;
    s->value = r.value;
}
