#include "report/report.h"

#include <math.h>

bool report_is_zero(const struct summary *s)
{
    uint64_t any = s->open_before;

    for (int level = LEVEL_BLUE; level < LEVEL_COUNT; level++)
        any += s->raised[level] + s->open[level];
    return any == 0;
}

double report_share(uint64_t expected, uint64_t received)
{
    if (expected == 0)
        return -1;
    return received >= expected ? 1 : (double)received / (double)expected;
}

/* To four places, downwards: only what is whole is 1. */
static void key_share(struct jsonw *w, const char *key, uint64_t expected, uint64_t received)
{
    double share = report_share(expected, received);

    if (share < 0)
        jsonw_key_null(w, key);
    else
        jsonw_key_double(w, key, floor(share * 10000) / 10000);
}

static void key_count(struct jsonw *w, const char *key, uint64_t value)
{
    jsonw_key_int(w, key, (int64_t)value);
}

static void key_more(struct jsonw *w, const char *key, uint64_t all, size_t shown)
{
    if (all > shown)
        key_count(w, key, all - shown);
}

static void write_levels(struct jsonw *w, const char *key, const uint64_t counts[LEVEL_COUNT])
{
    jsonw_key(w, key);
    jsonw_object_begin(w);
    for (int level = LEVEL_RED; level > LEVEL_NONE; level--)
        key_count(w, level_name((enum level)level), counts[level]);
    jsonw_object_end(w);
}

static void write_times(struct jsonw *w, const char *key, const struct summary_times *t)
{
    jsonw_key(w, key);
    jsonw_object_begin(w);
    key_count(w, "n", t->count);
    if (t->count > 0) {
        jsonw_key_double(w, "p50", (double)t->p50_ms / 1000);
        jsonw_key_double(w, "max", (double)t->max_ms / 1000);
    } else {
        jsonw_key_null(w, "p50");
        jsonw_key_null(w, "max");
    }
    jsonw_object_end(w);
}

static void write_completeness(struct jsonw *w, const struct summary *s)
{
    key_share(w, "completeness", s->expected, s->received);
    jsonw_key(w, "samples");
    jsonw_object_begin(w);
    key_count(w, "expected", s->expected);
    key_count(w, "received", s->received);
    if (s->samples_from > s->from)
        jsonw_key_int(w, "from", s->samples_from);
    jsonw_object_end(w);
    jsonw_key(w, "devices");
    jsonw_array_begin(w);
    for (size_t i = 0; i < s->device_count; i++) {
        const struct summary_device *d = &s->devices[i];

        jsonw_object_begin(w);
        jsonw_key_string(w, "device", d->name);
        key_count(w, "expected", d->expected);
        key_count(w, "received", d->received);
        key_share(w, "share", d->expected, d->received);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    key_more(w, "devices_more", s->devices_lacking, s->device_count);
}

static void write_outages(struct jsonw *w, const struct summary *s)
{
    uint64_t all = 0;

    jsonw_key(w, "outages");
    jsonw_array_begin(w);
    for (size_t i = 0; i < s->outage_count; i++) {
        const struct summary_outage *o = &s->outages[i];

        jsonw_object_begin(w);
        jsonw_key_string(w, "what", outage_kind_name(o->kind));
        jsonw_key_string(w, "name", o->name[0] ? o->name : NULL);
        jsonw_key_int(w, "from", o->from);
        jsonw_key_positive(w, "to", o->to);
        jsonw_key_int(w, "s", o->within_ms / 1000);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    for (int kind = 0; kind < OUTAGE_KINDS; kind++)
        all += s->outages_of[kind];
    key_more(w, "outages_more", all, s->outage_count);
    jsonw_key(w, "outage_count");
    jsonw_object_begin(w);
    for (int kind = 0; kind < OUTAGE_KINDS; kind++)
        key_count(w, outage_kind_name((enum summary_outage_kind)kind), s->outages_of[kind]);
    jsonw_object_end(w);
}

static void write_configs(struct jsonw *w, const struct summary *s)
{
    jsonw_key(w, "config");
    jsonw_array_begin(w);
    for (size_t i = 0; i < s->config_count; i++) {
        jsonw_object_begin(w);
        jsonw_key_int(w, "ts", s->configs[i].ts);
        jsonw_key_string(w, "sha256", s->configs[i].sha256[0] ? s->configs[i].sha256 : NULL);
        key_count(w, "changes", s->configs[i].changes);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    key_more(w, "config_more", s->config_changes, s->config_count);
}

static void write_uplinks(struct jsonw *w, const struct summary *s)
{
    jsonw_key(w, "uplinks");
    jsonw_array_begin(w);
    for (size_t i = 0; i < s->uplink_count; i++) {
        const struct summary_uplink *u = &s->uplinks[i];

        jsonw_object_begin(w);
        jsonw_key_string(w, "uplink", u->name);
        jsonw_key_int(w, "down_s", u->down_ms / 1000);
        key_count(w, "outages", u->outages);
        key_count(w, "tests", u->tests);
        key_count(w, "failed", u->failed);
        if (u->round_trip_ms >= 0)
            jsonw_key_int(w, "round_trip_ms", u->round_trip_ms);
        else
            jsonw_key_null(w, "round_trip_ms");
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    if (s->uplinks_more > 0)
        key_count(w, "uplinks_more", s->uplinks_more);
}

void report_write(struct jsonw *w, const struct report_frame *frame, const struct summary *s)
{
    jsonw_key_string(w, "kind", report_kind_name(frame->kind));
    jsonw_key_int(w, "from", s->from);
    jsonw_key_int(w, "to", s->to);
    jsonw_key_positive(w, "due", frame->due_ms);
    if (frame->late)
        jsonw_key_bool(w, "late", true);
    if (frame->gap_from != 0)
        jsonw_key_int(w, "gap_from", frame->gap_from);
    jsonw_key_bool(w, "zero", report_is_zero(s));
    write_levels(w, "raised", s->raised);
    write_levels(w, "open", s->open);
    key_count(w, "open_before", s->open_before);
    key_count(w, "acked", s->acked);
    key_count(w, "unacked", s->unacked);
    write_times(w, "time_to_ack_s", &s->to_ack);
    write_times(w, "time_to_clear_s", &s->to_clear);
    write_completeness(w, s);
    write_outages(w, s);
    key_count(w, "lost", s->lost);
    write_configs(w, s);
    jsonw_key_int(w, "uptime_s", (s->to - s->from - s->off_ms) / 1000);
    write_uplinks(w, s);
}
