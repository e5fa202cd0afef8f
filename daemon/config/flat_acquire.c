/* What is read, as keys and texts. */
#include <math.h>
#include <stdio.h>

#include "config/flat.h"

#define WHAT_MAX 320
#define RETRY_STANDARD_MS 30000 /* of a bus: the default of its key */

static void flat_decimals(struct flat *f, const struct site_point *p)
{
    if (p->has_decimals)
        flat_format(f, "point", p->full_name, "decimals_from", "%s %u mask %u",
                    point_space_name(p->decimals.space), p->decimals.address, p->decimals.mask);
}

/* Where it is read, and what the bits there mean. */
static void flat_reading(struct flat *f, const struct site_point *p)
{
    flat_format(f, "point", p->full_name, "read", "%s %u %s%s%s", point_space_name(p->space), p->address,
                point_type_name(p->type), p->order == ORDER_NONE ? "" : " ",
                p->order == ORDER_NONE ? "" : word_order_name(p->order));
    if (p->bit < 0 && p->mask == 0)
        flat_text(f, "point", p->full_name, "bits",
                  "-1 0"); /* as nearly all; what is written, all the same */
    else
        flat_format(f, "point", p->full_name, "bits", "%d %u", p->bit, p->mask);
    for (size_t i = 0; i < p->invalid_count; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "invalid.%zu", i);
        flat_format(f, "point", p->full_name, key, "%.15g", p->invalid[i]);
    }
    flat_decimals(f, p);
    for (size_t i = 0; i < p->word_count; i++) {
        char key[64];

        (void)snprintf(key, sizeof key, "values.%.15g", p->words[i].value);
        flat_text(f, "point", p->full_name, key, p->words[i].text);
    }
}

static void flat_point(struct flat *f, const struct site *site, const struct site_point *p)
{
    if (!p->derived)
        flat_reading(f, p);
    if (p->scaling.num == 1 && p->scaling.add == 0 && !signbit(p->scaling.add) && p->scaling.den == 1)
        flat_text(f, "point", p->full_name, "scaling", "1 0 1");
    else
        flat_format(f, "point", p->full_name, "scaling", "%.15g %.15g %.15g", p->scaling.num, p->scaling.add,
                    p->scaling.den);
    flat_convert(f, site, p);
    if (p->has_range)
        flat_format(f, "point", p->full_name, "range", "[%.15g, %.15g]", p->range_min, p->range_max);
    flat_text(f, "point", p->full_name, "unit", p->unit);
    flat_text(f, "point", p->full_name, "label", p->label);
    flat_doubt(f, site, p);
    if (p->change > 0)
        flat_format(f, "point", p->full_name, "change", "%.15g", p->change);
}

/* How it is asked. */
static void flat_habits(struct flat *f, const struct site_device *d)
{
    flat_format(f, "device", d->name, "unit", "%u", d->unit);
    flat_duration(f, "device", d->name, "poll", d->poll_ms);
    if (d->poll_offset_ms != 0 && !d->spread)
        flat_duration(f, "device", d->name, "poll_offset", d->poll_offset_ms);
    flat_duration(f, "device", d->name, "timeout", d->timeout_ms);
    flat_format(f, "device", d->name, "retries", "%u", d->retries);
    flat_format(f, "device", d->name, "max_registers", "%u", d->max_registers);
    flat_format(f, "device", d->name, "max_gap", "%u", d->max_gap);
    flat_duration(f, "device", d->name, "offline.after", d->offline_after_ms);
    flat_text(f, "device", d->name, "offline.level", level_name(d->offline_level));
    if (d->gap_ms != 0)
        flat_duration(f, "device", d->name, "gap", d->gap_ms);
    if (d->start_up_ms != 0)
        flat_duration(f, "device", d->name, "start_up", d->start_up_ms);
    if (d->misses != 0 && d->misses != DEVICE_MISSES_STANDARD)
        flat_format(f, "device", d->name, "misses", "%u", d->misses);
    if (d->probe_ms != 0 && d->probe_ms != DEVICE_PROBE_STANDARD_MS)
        flat_duration(f, "device", d->name, "probe", d->probe_ms);
}

/* status.0.read, status.0.is.3 and so on; one key a case, so that each change is told by itself. */
static void flat_gate(struct flat *f, const char *device, const struct site_gate *g, size_t index)
{
    char key[64];

    if (g->kind == GATE_HEARTBEAT) {
        flat_format(f, "device", device, "heartbeat.read", "%s %u mask %u", point_space_name(g->at.space),
                    g->at.address, g->at.mask);
        flat_duration(f, "device", device, "heartbeat.within", g->within_ms);
        return;
    }
    (void)snprintf(key, sizeof key, "status.%zu.read", index);
    flat_format(f, "device", device, key, "%s %u mask %u", point_space_name(g->at.space), g->at.address,
                g->at.mask);
    for (size_t i = 0; i < g->case_count; i++) {
        const char *quality = quality_name(g->cases[i].quality);

        (void)snprintf(key, sizeof key, "status.%zu.%s.%u", index, g->kind == GATE_BITS ? "bits" : "is",
                       g->cases[i].value);
        if (g->kind == GATE_BITS) /* the first one set wins: their order counts */
            flat_format(f, "device", device, key, "%s, %zu", quality, i + 1);
        else
            flat_text(f, "device", device, key, quality);
    }
    if (g->kind == GATE_VALUES) {
        (void)snprintf(key, sizeof key, "status.%zu.otherwise", index);
        flat_text(f, "device", device, key, quality_name(g->otherwise));
    }
}

static void flat_trigger(struct flat *f, const struct site_device *d)
{
    const struct site_trigger *t = &d->trigger;

    if (!t->enabled)
        return;
    flat_format(f, "device", d->name, "trigger.write", "%s %u = %u%s", point_space_name(t->space), t->address,
                t->value, t->broadcast ? ", broadcast" : "");
    flat_duration(f, "device", d->name, "trigger.wait", t->wait_ms);
}

void flat_device(struct flat *f, const struct site *site, const struct site_device *d)
{
    const char *bus = site_bus_name(site, d);

    /* Every device has this key; parentheses are no part of a bus's name. */
    flat_text(f, "device", d->name, "bus", bus ? bus : "(derived)");
    flat_text(f, "device", d->name, "area", d->area == SITE_NONE ? NULL : site->areas[d->area].name);
    flat_text(f, "device", d->name, "label", d->label);
    flat_text(f, "device", d->name, "profile", d->profile);
    if (!d->derived)
        flat_habits(f, d);
    for (size_t i = 0; i < d->gate_count; i++)
        flat_gate(f, d->name, &d->gates[i], i);
    flat_trigger(f, d);
    if (d->record.every_ms > 0)
        flat_duration(f, "device", d->name, "record.every", d->record.every_ms);
    if (d->record.around_ms > 0)
        flat_duration(f, "device", d->name, "record.around_alarms", d->record.around_ms);
    for (uint32_t i = 0; i < d->point_count; i++)
        flat_point(f, site, &site->points[d->first_point + i]);
}

void flat_bus(struct flat *f, const struct site_bus *b)
{
    if (b->kind == BUS_RTU)
        flat_format(f, "bus", b->name, "line", "%s %u parity %d stop %u", b->path, b->baud, (int)b->parity,
                    b->stop_bits);
    else
        flat_format(f, "bus", b->name, b->kind == BUS_TCP ? "tcp" : "rtu_over_tcp", "%s:%u", b->host,
                    b->port);
    flat_duration(f, "bus", b->name, "timeout", b->timeout_ms);
    flat_duration(f, "bus", b->name, "gap", b->gap_ms);
    if (b->retry_ms != RETRY_STANDARD_MS)
        flat_duration(f, "bus", b->name, "retry", b->retry_ms);
    if (b->spread)
        flat_text(f, "bus", b->name, "spread", "true");
    if (b->echo)
        flat_text(f, "bus", b->name, "echo", "true");
    if (b->rs485.enabled)
        flat_format(f, "bus", b->name, "rs485", "send %s, before %lldms, after %lldms",
                    b->rs485.send_low ? "low" : "high", (long long)b->rs485.before_ms,
                    (long long)b->rs485.after_ms);
}
