#include "config/diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

/* A site as a flat list of key and text. Two sorted lists are then compared by merging. */
struct flat_entry {
    const char *what;
    const char *text;
};

struct flat {
    struct arena *arena;
    struct flat_entry *entries; /* grown by doubling, on the heap */
    size_t count, capacity;
    enum rg_err error;
};

#define WHAT_MAX 320
#define TEXT_MAX 1024

static void flat_add(struct flat *f, const char *what, const char *text)
{
    if (f->error != RG_OK || !text)
        return;
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 256;
        struct flat_entry *grown = realloc(f->entries, capacity * sizeof *grown);

        if (!grown) {
            f->error = RG_ENOMEM;
            return;
        }
        f->entries = grown;
        f->capacity = capacity;
    }
    f->entries[f->count].what = arena_strdup(f->arena, what);
    f->entries[f->count].text = arena_strdup(f->arena, text);
    if (!f->entries[f->count].what || !f->entries[f->count].text)
        f->error = RG_ENOMEM;
    else
        f->count++;
}

/* kind.name.key = text */
static void flat_text(struct flat *f, const char *kind, const char *name, const char *key, const char *text)
{
    char what[WHAT_MAX];

    (void)snprintf(what, sizeof what, "%s.%s.%s", kind, name, key);
    flat_add(f, what, text);
}

static void RG_PRINTF(5, 6)
    flat_format(struct flat *f, const char *kind, const char *name, const char *key, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flat_text(f, kind, name, key, text);
}

static void flat_duration(struct flat *f, const char *kind, const char *name, const char *key, int64_t ms)
{
    char text[32];

    flat_text(f, kind, name, key, text_format_duration(ms, text));
}

static void flat_limits(struct flat *f, const struct site_rule *r, const char *side, const bool *has,
                        const double *limit)
{
    for (int level = LEVEL_BLUE; level <= LEVEL_RED; level++) {
        char key[32];

        if (!has[level])
            continue;
        (void)snprintf(key, sizeof key, "%s.%s", side, level_name((enum level)level));
        flat_format(f, "rule", r->name, key, "%.15g", limit[level]);
    }
}

static void flat_rule(struct flat *f, const struct site *site, const struct site_rule *r)
{
    flat_limits(f, r, "above", r->has_above, r->above);
    flat_limits(f, r, "below", r->has_below, r->below);
    for (size_t i = 0; i < r->is_count; i++) {
        char key[64];

        (void)snprintf(key, sizeof key, "is.%.15g", r->is[i].value);
        flat_text(f, "rule", r->name, key, level_name(r->is[i].level));
    }
    for (size_t i = 0; i < r->point_count; i++) {
        char key[WHAT_MAX / 2];

        (void)snprintf(key, sizeof key, "points.%s", site->points[r->points[i]].full_name);
        flat_text(f, "rule", r->name, key, "watched");
    }
    flat_format(f, "rule", r->name, "deadband", "%.15g", r->deadband);
    flat_duration(f, "rule", r->name, "on_delay", r->on_delay_ms);
    flat_duration(f, "rule", r->name, "off_delay", r->off_delay_ms);
    flat_text(f, "rule", r->name, "message", r->message);
}

static void flat_point(struct flat *f, const struct site_point *p)
{
    flat_format(f, "point", p->full_name, "read", "%s %u %s%s%s", point_space_name(p->space), p->address,
                point_type_name(p->type), p->order == ORDER_NONE ? "" : " ",
                p->order == ORDER_NONE ? "" : word_order_name(p->order));
    flat_format(f, "point", p->full_name, "scaling", "%.15g %.15g %.15g", p->scaling.num, p->scaling.add,
                p->scaling.den);
    flat_format(f, "point", p->full_name, "bits", "%d %u", p->bit, p->mask);
    if (p->has_range)
        flat_format(f, "point", p->full_name, "range", "[%.15g, %.15g]", p->range_min, p->range_max);
    for (size_t i = 0; i < p->invalid_count; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "invalid.%zu", i);
        flat_format(f, "point", p->full_name, key, "%.15g", p->invalid[i]);
    }
    flat_text(f, "point", p->full_name, "unit", p->unit);
    flat_text(f, "point", p->full_name, "label", p->label);
}

static void flat_device(struct flat *f, const struct site *site, const struct site_device *d)
{
    /* No bus is called so: a device that becomes a derived one is told. */
    flat_text(f, "device", d->name, "bus", d->derived ? "(derived)" : site->buses[d->bus].name);
    flat_format(f, "device", d->name, "unit", "%u", d->unit);
    flat_duration(f, "device", d->name, "poll", d->poll_ms);
    flat_duration(f, "device", d->name, "timeout", d->timeout_ms);
    flat_format(f, "device", d->name, "retries", "%u", d->retries);
    flat_format(f, "device", d->name, "max_registers", "%u", d->max_registers);
    flat_format(f, "device", d->name, "max_gap", "%u", d->max_gap);
    flat_duration(f, "device", d->name, "offline.after", d->offline_after_ms);
    flat_text(f, "device", d->name, "offline.level", level_name(d->offline_level));
    flat_text(f, "device", d->name, "area", d->area == SITE_NONE ? NULL : site->areas[d->area].name);
    flat_text(f, "device", d->name, "label", d->label);
    for (uint32_t i = 0; i < d->point_count; i++)
        flat_point(f, &site->points[d->first_point + i]);
}

static void flat_bus(struct flat *f, const struct site_bus *b)
{
    if (b->kind == BUS_RTU)
        flat_format(f, "bus", b->name, "line", "%s %u parity %d stop %u", b->path, b->baud, (int)b->parity,
                    b->stop_bits);
    else
        flat_format(f, "bus", b->name, b->kind == BUS_TCP ? "tcp" : "rtu_over_tcp", "%s:%u", b->host,
                    b->port);
    flat_duration(f, "bus", b->name, "timeout", b->timeout_ms);
    flat_duration(f, "bus", b->name, "gap", b->gap_ms);
}

static void flat_area(struct flat *f, const struct site *site, const struct site_area *a)
{
    flat_text(f, "area", a->name, "label", a->label);
    flat_text(f, "area", a->name, "parent", a->parent == SITE_NONE ? "" : site->areas[a->parent].name);
    flat_text(f, "area", a->name, "inherent", level_name(a->inherent));
    flat_text(f, "area", a->name, "tier", area_tier_name(a->tier));
    flat_text(f, "area", a->name, "responsible.unit", a->resp_unit);
    flat_text(f, "area", a->name, "responsible.person", a->resp_person);
    flat_text(f, "area", a->name, "responsible.phone", a->resp_phone);
    flat_text(f, "area", a->name, "measure", a->measure);
    flat_text(f, "area", a->name, "grid", a->grid);
}

static void flat_uplink(struct flat *f, const struct site *site, const struct site_uplink *u)
{
    flat_text(f, "uplink", u->name, "url", u->url);
    flat_text(f, "uplink", u->name, "protocol", u->v311 ? "3.1.1" : "5");
    flat_text(f, "uplink", u->name, "client_id", u->client_id);
    flat_text(f, "uplink", u->name, "username", u->username);
    flat_text(f, "uplink", u->name, "password_file", u->password_file);
    flat_text(f, "uplink", u->name, "tls.ca", u->ca);
    flat_text(f, "uplink", u->name, "tls.cert", u->cert);
    flat_text(f, "uplink", u->name, "tls.key", u->key);
    flat_text(f, "uplink", u->name, "topic_root", u->topic_root);
    flat_duration(f, "uplink", u->name, "keepalive", u->keepalive_ms);
    flat_text(f, "uplink", u->name, "telemetry.send", u->telemetry_send ? "true" : "false");
    for (size_t i = 0; i < site->device_count; i++) {
        char key[WHAT_MAX / 2];

        (void)snprintf(key, sizeof key, "telemetry.devices.%s", site->devices[i].name);
        flat_text(f, "uplink", u->name, key, u->telemetry_devices[i] ? "sent" : NULL);
    }
    flat_text(f, "uplink", u->name, "alarms.from", level_name(u->alarms_from));
    flat_format(f, "uplink", u->name, "backfill.rate", "%.15g/s", u->backfill_rate);
}

static void flat_gateway(struct flat *f, const struct site *site)
{
    const struct site_gateway *g = &site->gateway;
    const struct site_store *s = &site->store;

    flat_text(f, "gateway", "id", "is", g->id);
    flat_text(f, "gateway", "enterprise", "code", g->ent_code);
    flat_text(f, "gateway", "enterprise", "name", g->ent_name);
    flat_text(f, "gateway", "enterprise", "industry", g->ent_industry);
    flat_text(f, "gateway", "enterprise", "region", g->ent_region);
    flat_text(f, "gateway", "enterprise", "grid", g->ent_grid);
    flat_text(f, "gateway", "enterprise", "contact.name", g->contact_name);
    flat_text(f, "gateway", "enterprise", "contact.phone", g->contact_phone);
    flat_format(f, "gateway", "enterprise", "workers", "%lld", (long long)g->workers);
    flat_duration(f, "store", "telemetry", "commit", s->commit_ms);
    flat_duration(f, "store", "retention", "telemetry", s->keep_telemetry_ms);
    flat_duration(f, "store", "retention", "alarms", s->keep_alarms_ms);
    flat_duration(f, "store", "retention", "events", s->keep_events_ms);
    flat_format(f, "store", "retention", "max_size", "%lld", (long long)s->max_size);
    flat_text(f, "control", "socket", "path", site->control_socket);
    flat_text(f, "log", "level", "is", log_level_name(site->log_level));
}

static int flat_compare(const void *a, const void *b)
{
    const struct flat_entry *x = a, *y = b;
    int order = strcmp(x->what, y->what);

    /* Names may hold dots, so two keys may read the same: then their texts keep the order the same on both sides. */
    return order != 0 ? order : strcmp(x->text, y->text);
}

static void flat_site(struct flat *f, const struct site *site)
{
    if (!site)
        return;
    flat_gateway(f, site);
    for (size_t i = 0; i < site->uplink_count; i++)
        flat_uplink(f, site, &site->uplinks[i]);
    for (size_t i = 0; i < site->bus_count; i++)
        flat_bus(f, &site->buses[i]);
    for (size_t i = 0; i < site->device_count; i++)
        flat_device(f, site, &site->devices[i]);
    for (size_t i = 0; i < site->area_count; i++)
        flat_area(f, site, &site->areas[i]);
    for (size_t i = 0; i < site->rule_count; i++)
        flat_rule(f, site, &site->rules[i]);
    if (f->count > 0)
        qsort(f->entries, f->count, sizeof *f->entries, flat_compare);
}

static enum rg_err diff_merge(const struct flat *a, const struct flat *b, struct config_diff *out)
{
    size_t i = 0, k = 0;

    out->changes = arena_alloc(&out->arena, a->count + b->count + 1, sizeof *out->changes);
    if (!out->changes)
        return RG_ENOMEM;
    while (i < a->count || k < b->count) {
        int order = i == a->count ? 1 : k == b->count ? -1 : strcmp(a->entries[i].what, b->entries[k].what);
        struct config_change c = {0};

        if (order <= 0) {
            c.what = a->entries[i].what;
            c.before = a->entries[i++].text;
        }
        if (order >= 0) {
            c.what = b->entries[k].what;
            c.after = b->entries[k++].text;
        }
        if (order != 0 || strcmp(c.before, c.after) != 0)
            out->changes[out->count++] = c;
    }
    return RG_OK;
}

/* Both are used up. */
static enum rg_err diff_finish(struct flat *a, struct flat *b, struct config_diff *out)
{
    enum rg_err err = a->error != RG_OK ? a->error : b->error;

    if (err == RG_OK)
        err = diff_merge(a, b, out);
    free(a->entries);
    free(b->entries);
    return err;
}

enum rg_err config_diff(const struct site *before, const struct site *after, struct config_diff *out)
{
    struct flat a = {.arena = &out->arena}, b = {.arena = &out->arena};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 0);
    flat_site(&a, before);
    flat_site(&b, after);
    return diff_finish(&a, &b, out);
}

enum rg_err config_describe(const struct site *site, struct jsonw *out)
{
    struct arena arena;
    struct flat f = {.arena = &arena};

    arena_init(&arena, 0);
    flat_site(&f, site);
    jsonw_reset(out);
    jsonw_array_begin(out);
    for (size_t i = 0; i < f.count; i++) {
        jsonw_string(out, f.entries[i].what);
        jsonw_string(out, f.entries[i].text);
    }
    jsonw_array_end(out);
    free(f.entries);
    arena_destroy(&arena);
    return f.error != RG_OK ? f.error : jsonw_error(out);
}

/* Keys and texts in turn; sorted anew, for another version may have ordered them otherwise. */
static void flat_parse(struct flat *f, const char *text, size_t length)
{
    struct json *root = NULL;

    f->error = json_parse(text, length, length, &root);
    if (f->error == RG_OK && (!json_is_array(root) || json_size(root) % 2 != 0))
        f->error = RG_EINVAL;
    for (const struct json *key = json_first(root); key && f->error == RG_OK;) {
        const struct json *value = json_next(key);

        if (json_string(key) && json_string(value))
            flat_add(f, json_string(key), json_string(value));
        else
            f->error = RG_EINVAL;
        key = json_next(value);
    }
    json_free(root);
    if (f->count > 0)
        qsort(f->entries, f->count, sizeof *f->entries, flat_compare);
}

enum rg_err config_diff_text(const char *before, size_t length, const struct site *after,
                             struct config_diff *out)
{
    struct flat a = {.arena = &out->arena}, b = {.arena = &out->arena};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 0);
    flat_parse(&a, before, length);
    flat_site(&b, after);
    return diff_finish(&a, &b, out);
}

static int change_compare(const void *key, const void *change)
{
    return strcmp(key, ((const struct config_change *)change)->what);
}

const struct config_change *config_diff_find(const struct config_diff *diff, const char *what)
{
    return diff->count == 0
               ? NULL
               : bsearch(what, diff->changes, diff->count, sizeof *diff->changes, change_compare);
}

void config_diff_free(struct config_diff *diff)
{
    arena_destroy(&diff->arena);
    diff->changes = NULL;
    diff->count = 0;
}
