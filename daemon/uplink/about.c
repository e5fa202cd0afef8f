#include "uplink/about.h"

#include "uplink/about_rule.h"
#include "uplink/payload.h"

static void text_if(struct jsonw *w, const char *key, const char *value)
{
    if (value)
        jsonw_key_string(w, key, value);
}

static void write_enterprise(struct jsonw *w, const struct site_gateway *g)
{
    jsonw_key(w, "enterprise");
    jsonw_object_begin(w);
    jsonw_key_string(w, "code", g->ent_code);
    jsonw_key_string(w, "name", g->ent_name);
    text_if(w, "industry", g->ent_industry);
    text_if(w, "region", g->ent_region);
    text_if(w, "grid", g->ent_grid);
    if (g->workers >= 0)
        jsonw_key_int(w, "workers", g->workers);
    if (g->contact_name || g->contact_phone) {
        jsonw_key(w, "contact");
        jsonw_object_begin(w);
        text_if(w, "name", g->contact_name);
        text_if(w, "phone", g->contact_phone);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

static void write_area(struct jsonw *w, const struct site *site, const struct site_area *a)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", a->name);
    text_if(w, "label", a->label);
    if (a->parent != SITE_NONE)
        jsonw_key_string(w, "parent", site->areas[a->parent].name);
    text_if(w, "tier", area_tier_name(a->tier));
    jsonw_key_string(w, "inherent", level_name(a->inherent));
    text_if(w, "aggregate", a->aggregate == AGGREGATE_GB39496 ? "gb39496" : NULL);
    if (a->resp_unit || a->resp_person || a->resp_phone) {
        jsonw_key(w, "responsible");
        jsonw_object_begin(w);
        text_if(w, "unit", a->resp_unit);
        text_if(w, "person", a->resp_person);
        text_if(w, "phone", a->resp_phone);
        jsonw_object_end(w);
    }
    text_if(w, "measure", a->measure);
    text_if(w, "grid", a->grid);
    jsonw_object_end(w);
}

static void write_words(struct jsonw *w, const struct site_point *p)
{
    if (p->word_count == 0)
        return;
    jsonw_key(w, "values");
    jsonw_array_begin(w);
    for (size_t i = 0; i < p->word_count; i++) {
        jsonw_object_begin(w);
        jsonw_key_double(w, "value", p->words[i].value);
        jsonw_key_string(w, "text", p->words[i].text);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_doubt(struct jsonw *w, const struct site *site, const struct site_doubt *d)
{
    if (!d)
        return;
    jsonw_key(w, "doubt");
    jsonw_object_begin(w);
    jsonw_key_string(w, "level", level_name(d->level));
    jsonw_key_int(w, "after_ms", d->after_ms);
    if (d->flat_ms > 0) {
        jsonw_key_int(w, "flat_ms", d->flat_ms);
        jsonw_key_double(w, "flat_band", d->flat_band);
    }
    if (d->has_rate)
        jsonw_key_double(w, "rate_per_s", d->rate_per_s);
    if (d->has_twin) {
        jsonw_key_string(w, "twin", site->points[d->twin].full_name);
        jsonw_key_double(w, "twin_within", d->twin_within);
    }
    jsonw_object_end(w);
}

static void write_point(struct jsonw *w, const struct site *site, const struct site_point *p)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", p->name);
    jsonw_key_string(w, "type", point_type_name(p->type));
    text_if(w, "label", p->label);
    text_if(w, "unit", p->unit);
    if (p->has_range) {
        jsonw_key(w, "range");
        jsonw_array_begin(w);
        jsonw_double(w, p->range_min);
        jsonw_double(w, p->range_max);
        jsonw_array_end(w);
    }
    write_words(w, p);
    write_doubt(w, site, p->doubt);
    jsonw_object_end(w);
}

/* What only a device that is asked has. */
static void write_polling(struct jsonw *w, const struct site_device *d)
{
    jsonw_key_int(w, "poll_ms", d->poll_ms);
    jsonw_key(w, "offline");
    jsonw_object_begin(w);
    jsonw_key_int(w, "after_ms", d->offline_after_ms);
    jsonw_key_string(w, "level", level_name(d->offline_level));
    jsonw_object_end(w);
}

/* So that nobody takes what is left out on purpose for something missing. */
static void write_record(struct jsonw *w, const struct site_record *r)
{
    if (r->every_ms == 0)
        return;
    jsonw_key(w, "record");
    jsonw_object_begin(w);
    jsonw_key_int(w, "every_ms", r->every_ms);
    jsonw_key_int(w, "around_alarms_ms", r->around_ms);
    jsonw_object_end(w);
}

static void write_device(struct jsonw *w, const struct site *site, const struct site_device *d)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", d->name);
    text_if(w, "label", d->label);
    if (d->area != SITE_NONE)
        jsonw_key_string(w, "area", site->areas[d->area].name);
    if (d->derived)
        jsonw_key_bool(w, "derived", true);
    else
        write_polling(w, d);
    write_record(w, &d->record);
    jsonw_key(w, "points");
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < d->point_count; i++)
        write_point(w, site, &site->points[d->first_point + i]);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void write_permits(struct jsonw *w, const struct site *site)
{
    if (site->permit_count == 0)
        return;
    jsonw_key(w, "permits");
    jsonw_array_begin(w);
    for (size_t i = 0; i < site->permit_count; i++) {
        jsonw_object_begin(w);
        jsonw_key_string(w, "name", site->permits[i].name);
        text_if(w, "label", site->permits[i].label);
        jsonw_key_int(w, "max_ms", site->permits[i].max_ms);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

void about_write(const struct site *site, struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_int(w, "v", PAYLOAD_VERSION);
    jsonw_key_string(w, "ent", site->gateway.ent_code);
    jsonw_key_string(w, "gw", site->gateway.id);
    write_enterprise(w, &site->gateway);
    jsonw_key(w, "areas");
    jsonw_array_begin(w);
    for (size_t i = 0; i < site->area_count; i++)
        write_area(w, site, &site->areas[i]);
    jsonw_array_end(w);
    jsonw_key(w, "devices");
    jsonw_array_begin(w);
    for (size_t i = 0; i < site->device_count; i++)
        write_device(w, site, &site->devices[i]);
    jsonw_array_end(w);
    write_permits(w, site);
    jsonw_key(w, "rules");
    jsonw_array_begin(w);
    for (size_t i = 0; i < site->rule_count; i++)
        about_rule(site, &site->rules[i], w);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

uint64_t about_stamp(const struct jsonw *w)
{
    uint64_t stamp = UINT64_C(0xcbf29ce484222325); /* FNV-1a: it only has to differ */

    for (size_t i = 0; i < w->length; i++)
        stamp = (stamp ^ (unsigned char)w->text[i]) * UINT64_C(0x100000001b3);
    return stamp != 0 ? stamp : 1;
}
