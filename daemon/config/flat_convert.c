/* What is worked out, as keys and texts. */
#include <stdio.h>

#include "config/flat.h"

#define OPERAND_TEXT 320

static const char *operand_text(const struct site *site, const struct site_operand *o,
                                char text[OPERAND_TEXT])
{
    if (o->point == SITE_NONE)
        (void)snprintf(text, OPERAND_TEXT, "%.15g", o->plus);
    else
        (void)snprintf(text, OPERAND_TEXT, "%s * %.15g + %.15g", site->points[o->point].full_name, o->times,
                       o->plus);
    return text;
}

static void number(struct flat *f, const struct site_point *p, const char *key, double value)
{
    flat_format(f, "point", p->full_name, key, "%.15g", value);
}

static void flat_wire(struct flat *f, const struct site *site, const struct site_point *p)
{
    const struct site_convert *c = p->convert;
    char text[OPERAND_TEXT];

    flat_text(f, "point", p->full_name, "convert.input", wire_input_name(c->input));
    if (!c->polynomial || c->c_from_zero)
        number(f, p, "convert.zero", c->zero);
    if (c->polynomial) {
        number(f, p, "convert.a", c->a);
        number(f, p, "convert.b", c->b);
        if (!c->c_from_zero)
            number(f, p, "convert.c", c->c);
    } else {
        number(f, p, "convert.factor", c->factor);
        flat_text(f, "point", p->full_name, "convert.sign", wire_sign_name(c->sign));
    }
    if (c->has_temperature)
        flat_format(f, "point", p->full_name, "convert.temperature", "%s, zero %.15g, factor %.15g",
                    operand_text(site, &c->temperature, text), c->temperature_zero, c->temperature_factor);
    if (c->has_barometer)
        flat_format(f, "point", p->full_name, "convert.barometer", "%s, zero %.15g",
                    operand_text(site, &c->barometer, text), c->barometer_zero);
}

static void flat_conversion(struct flat *f, const struct site *site, const struct site_point *p)
{
    const struct site_convert *c = p->convert;

    flat_text(f, "point", p->full_name, "convert", convert_kind_name(c->kind));
    for (size_t i = 0; i < c->entry_count; i++) {
        char key[48];

        (void)snprintf(key, sizeof key, "convert.%zu", i);
        flat_format(f, "point", p->full_name, key, "%.15g: %.15g", c->entries[i].from, c->entries[i].to);
    }
    if (c->kind == CONVERT_THERMISTOR) {
        number(f, p, "convert.a", c->a);
        number(f, p, "convert.b", c->b);
        number(f, p, "convert.c", c->c);
        number(f, p, "convert.d", c->d);
    } else if (c->kind == CONVERT_VIBRATING_WIRE) {
        flat_wire(f, site, p);
    } else if (c->kind == CONVERT_CONCENTRATION) {
        flat_text(f, "point", p->full_name, "convert.to", c->to_ppm ? "ppm" : "mg/m3");
        number(f, p, "convert.molar_mass", c->molar_mass);
        number(f, p, "convert.temperature", c->temperature_c);
    } else if (c->kind == CONVERT_PRESSURE) {
        flat_format(f, "point", p->full_name, "convert.to", "%s from %s", pressure_unit_name(c->to),
                    pressure_unit_name(c->from));
    }
}

static void flat_derived(struct flat *f, const struct site *site, const struct site_point *p)
{
    const struct site_derived *d = p->derived;

    flat_text(f, "point", p->full_name, "derived", derive_kind_name(d->kind));
    for (size_t i = 0; i < d->operand_count; i++) {
        char key[48], text[OPERAND_TEXT];

        (void)snprintf(key, sizeof key, "derived.%zu", i);
        flat_text(f, "point", p->full_name, key, operand_text(site, &d->operands[i], text));
    }
    if (d->wrap > 0)
        number(f, p, "derived.wrap", d->wrap);
    if (d->most > 0)
        number(f, p, "derived.most", d->most);
}

void flat_convert(struct flat *f, const struct site *site, const struct site_point *p)
{
    if (p->convert)
        flat_conversion(f, site, p);
    if (p->derived)
        flat_derived(f, site, p);
}
