#include "app/field.h"

static double milliseconds(int64_t us)
{
    return (double)us / 1000.0;
}

/* Shares of its time. */
static void write_load(struct jsonw *w, double planned, enum load_word word, const struct poll_bus_stats *s)
{
    jsonw_key(w, "load");
    jsonw_object_begin(w);
    jsonw_key_double(w, "planned", planned);
    if (s->load_window_us > 0)
        jsonw_key_double(w, "measured", s->load);
    else
        jsonw_key_null(w, "measured");
    jsonw_key_int(w, "window_s", s->load_window_us / 1000000);
    jsonw_key_string(w, "state", load_word_name(word));
    jsonw_object_end(w);
}

void field_write_buses(struct jsonw *w, const struct pipeline *p)
{
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < p->site->bus_count; i++) {
        struct poll_bus_stats s;
        char place[SITE_BUS_PLACE_MAX];

        poll_bus_stats(p->poll, i, &s);
        jsonw_object_begin(w);
        jsonw_key_string(w, "name", p->site->buses[i].name);
        jsonw_key_string(w, "place", site_bus_place(&p->site->buses[i], place));
        jsonw_key_string(w, "state", bus_state_name(s.state));
        jsonw_key_int(w, "ok", (int64_t)s.ok);
        jsonw_key_int(w, "errors", (int64_t)s.errors);
        jsonw_key_int(w, "timeouts", (int64_t)s.timeouts);
        jsonw_key_double(w, "p50_ms", milliseconds(s.p50_us));
        jsonw_key_double(w, "p99_ms", milliseconds(s.p99_us));
        write_load(w, p->load.planned[i], p->load.words[i], &s);
        jsonw_key_string(w, "detail", s.detail[0] ? s.detail : NULL);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* How many of its points cannot be told now, by the reason. */
static void write_bad(struct jsonw *w, const struct pipeline *p, const struct site_device *d)
{
    uint32_t count[QUALITY_STALE + 1] = {0};

    for (uint32_t i = 0; i < d->point_count; i++)
        count[evidence_last(&p->evidence, d->first_point + i).quality]++;
    jsonw_key_int(w, "points", d->point_count);
    jsonw_key(w, "bad");
    jsonw_object_begin(w);
    for (int q = QUALITY_GOOD + 1; q <= QUALITY_STALE; q++) {
        if (count[q] > 0)
            jsonw_key_int(w, quality_name((enum quality)q), count[q]);
    }
    jsonw_object_end(w);
}

void field_write_devices(struct jsonw *w, const struct pipeline *p)
{
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < p->site->device_count; i++) {
        const struct site_device *d = &p->site->devices[i];
        struct poll_device_stats s;

        if (d->derived) /* nobody is asked: its points are in `points` */
            continue;
        poll_device_stats(p->poll, i, &s);
        jsonw_object_begin(w);
        jsonw_key_string(w, "name", d->name);
        jsonw_key_string(w, "label", d->label);
        jsonw_key_string(w, "bus", site_bus_name(p->site, d));
        jsonw_key_int(w, "unit", d->unit);
        jsonw_key_string(w, "state", unit_state_name(s.state));
        jsonw_key_positive(w, "last_ok_ts", s.last_ok_wall_ms);
        jsonw_key_int(w, "ok", (int64_t)s.ok);
        jsonw_key_int(w, "errors", (int64_t)s.errors);
        jsonw_key_int(w, "exceptions", (int64_t)s.exceptions);
        jsonw_key_int(w, "skipped", (int64_t)s.skipped);
        jsonw_key_int(w, "soft_errors", (int64_t)s.soft);
        jsonw_key_int(w, "misses", (int64_t)s.misses);
        jsonw_key_int(w, "recent_polls", (int64_t)s.recent);
        jsonw_key_int(w, "recent_answered", (int64_t)s.recent_answered);
        jsonw_key_positive(w, "silent_since_ts", s.silent_wall_ms);
        jsonw_key(w, "next_probe_ms");
        if (s.state == UNIT_SUSPENDED)
            jsonw_int(w, s.next_probe_ms);
        else
            jsonw_null(w);
        write_bad(w, p, d);
        jsonw_key_int(w, "left_out", (int64_t)s.left_out);
        jsonw_key_int(w, "divided", (int64_t)s.divided);
        jsonw_key_int(w, "poll_late_ms", s.late_ms);
        recording_write(p, i, w);
        jsonw_key_string(w, "detail", s.detail[0] ? s.detail : NULL);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}
