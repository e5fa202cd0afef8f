#include "config/flat.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/table.h"
#include "model/alarm.h"

#define WHAT_MAX 320
#define TEXT_MAX 1024

void flat_add(struct flat *f, const char *what, const char *text)
{
    if (f->error != RG_OK || f->enough || !text)
        return;
    if (f->take) {
        f->enough = !f->take(f->arg, what, text);
        return;
    }
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

/* Behind what is there already; what does not fit is left out. One of hundreds of thousands: snprintf takes ten times as long. */
static size_t put(char what[WHAT_MAX], size_t used, const char *text)
{
    size_t length = strnlen(text, WHAT_MAX - 1 - used);

    memcpy(what + used, text, length);
    what[used + length] = '\0';
    return used + length;
}

void flat_text(struct flat *f, const char *kind, const char *name, const char *key, const char *text)
{
    char what[WHAT_MAX];
    size_t used;

    if (!text || f->enough)
        return;
    used = put(what, 0, kind);
    used = put(what, used, ".");
    used = put(what, used, name);
    used = put(what, used, ".");
    (void)put(what, used, key);
    flat_add(f, what, text);
}

void flat_format(struct flat *f, const char *kind, const char *name, const char *key, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;

    if (f->enough)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flat_text(f, kind, name, key, text);
}

void flat_duration(struct flat *f, const char *kind, const char *name, const char *key, int64_t ms)
{
    char text[32];

    flat_text(f, kind, name, key, text_format_duration(ms, text));
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
    if (a->aggregate == AGGREGATE_GB39496)
        flat_text(f, "area", a->name, "aggregate", "gb39496");
}

static void flat_commands(struct flat *f, const struct site_uplink *u)
{
    char text[TEXT_MAX] = "";

    for (const struct choice *c = table_commands; c->name; c++) {
        const size_t used = strlen(text);

        if (u->may & (unsigned)c->value)
            (void)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", c->name);
    }
    flat_text(f, "uplink", u->name, "commands", text[0] ? text : NULL);
}

static void flat_uplink(struct flat *f, const struct site *site, const struct site_uplink *u)
{
    flat_text(f, "uplink", u->name, "url", u->url);
    flat_text(f, "uplink", u->name, "protocol", u->v311 ? "3.1.1" : "5");
    flat_text(f, "uplink", u->name, "client_id", u->client_id);
    flat_text(f, "uplink", u->name, "username", u->username);
    flat_text(f, "uplink", u->name, "password_file", u->password_file);
    flat_text(f, "uplink", u->name, "insecure", u->insecure ? "true" : NULL);
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
    flat_text(f, "uplink", u->name, "receipts", u->receipts ? "true" : NULL);
    flat_commands(f, u);
}

static void flat_output(struct flat *f, const struct site *site, const struct site_output *o)
{
    static const char *const stops[] = {"off", "on", "keep"};
    const bool area = o->area != SITE_NONE;

    flat_format(f, "output", o->name, "place", "%s %s %u", site->devices[o->device].name,
                point_space_name(o->space), o->address);
    flat_format(f, "output", o->name, "values", "on %u off %u", o->on, o->off);
    flat_format(f, "output", o->name, "when", "%s %s from %s", area ? "area" : "rule",
                area                             ? site->areas[o->area].name
                : o->rule == SITE_RULE_SELF_TEST ? RULE_SELF_TEST
                                                 : site->rules[o->rule].name,
                level_name(o->from));
    flat_text(f, "output", o->name, "silenceable", o->silenceable ? "true" : "false");
    flat_text(f, "output", o->name, "on_stop", stops[o->on_stop]);
    flat_duration(f, "output", o->name, "assert", o->assert_ms);
    flat_text(f, "output", o->name, "fault", level_name(o->fault_level));
    flat_text(f, "output", o->name, "label", o->label);
}

static void flat_time(struct flat *f, const char *name, int16_t minute)
{
    if (minute < 0)
        flat_text(f, "reports", name, "at", "none");
    else
        flat_format(f, "reports", name, "at", "%02d:%02d", minute / 60, minute % 60);
}

static void flat_routine(struct flat *f, const struct site *site)
{
    const struct site_self_test *t = &site->self_test;

    if (site->reports.on) {
        flat_time(f, "daily", site->reports.daily_minute);
        flat_time(f, "monthly", site->reports.monthly_minute);
    }
    if (t->every_ms == 0)
        return;
    flat_duration(f, "self_test", "alarm", "every", t->every_ms);
    flat_duration(f, "self_test", "alarm", "limit", t->limit_ms);
    flat_text(f, "self_test", "alarm", "level", level_name(t->level));
    for (size_t i = 0; i < site->uplink_count; i++)
        flat_text(f, "self_test", "uplinks", site->uplinks[i].name, t->uplinks[i] ? "tested" : NULL);
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
    if (s->keep_rollups_ms != 0 && s->keep_rollups_ms != STORE_ROLLUPS_STANDARD_MS)
        flat_duration(f, "store", "retention", "rollups", s->keep_rollups_ms);
    flat_format(f, "store", "retention", "max_size", "%lld", (long long)s->max_size);
    if (site->shelve_max_ms != 0 && site->shelve_max_ms != SHELVE_MAX_STANDARD_MS)
        flat_duration(f, "alarms", "shelving", "max", site->shelve_max_ms);
    flat_text(f, "control", "socket", "path", site->control_socket);
    flat_text(f, "control", "socket", "group", site->control_group.name);
    flat_text(f, "control", "socket", "act_group", site->control_act_group.name);
    flat_text(f, "log", "level", "is", log_level_name(site->log_level));
    flat_text(f, "metrics", "file", "path", site->metrics.file);
    if (site->metrics.file)
        flat_duration(f, "metrics", "file", "every", site->metrics.every_ms);
}

static int flat_compare(const void *a, const void *b)
{
    const struct flat_entry *x = a, *y = b;
    int order = strcmp(x->what, y->what);

    /* Names may hold dots, so two keys may read the same: then their texts keep the order the same on both sides. */
    return order != 0 ? order : strcmp(x->text, y->text);
}

void flat_sort(struct flat *f)
{
    if (f->count > 0)
        qsort(f->entries, f->count, sizeof *f->entries, flat_compare);
}

void flat_site(struct flat *f, const struct site *site)
{
    if (!site)
        return;
    flat_gateway(f, site);
    flat_routine(f, site);
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
    for (size_t i = 0; i < site->permit_count; i++)
        flat_permit(f, &site->permits[i]);
    for (size_t i = 0; i < site->output_count; i++)
        flat_output(f, site, &site->outputs[i]);
    flat_sort(f);
}
