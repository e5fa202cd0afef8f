#include "record/record.h"

void record_begin(struct jsonw *w, int64_t wall_ms)
{
    jsonw_reset(w);
    jsonw_object_begin(w);
    jsonw_key_int(w, "ts", wall_ms);
}

enum rg_err record_end(struct jsonw *w, bool unsynced, const char **body, size_t *length)
{
    enum rg_err err;

    if (unsynced)
        jsonw_key_string(w, "clock", "unsynced");
    jsonw_object_end(w);
    err = jsonw_error(w);
    if (err != RG_OK)
        return err;
    *body = w->text + 1;
    *length = w->length - 2;
    return RG_OK;
}

static void write_value(struct jsonw *w, double value, bool single)
{
    if (single)
        jsonw_float(w, (float)value);
    else
        jsonw_double(w, value);
}

void record_value(struct jsonw *w, const struct site_point *point, double value)
{
    write_value(w, value, point_is_single(point));
}

enum rg_err record_frame(struct jsonw *w, const struct site *site, const struct frame *frame,
                         const char **body, size_t *length)
{
    size_t bad = 0, blind = 0;

    record_begin(w, frame->at.wall_ms);
    jsonw_key_string(w, "device", site->devices[frame->device].name);
    jsonw_key(w, "values");
    jsonw_object_begin(w);
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];
        const struct site_point *p = &site->points[s->point];

        if (s->quality != QUALITY_GOOD) {
            bad++;
            if (s->quality == QUALITY_COMM || s->quality == QUALITY_DEVICE)
                blind++;
            continue;
        }
        jsonw_id_number(w, p->name, s->value, point_is_single(p));
    }
    jsonw_object_end(w);
    if (bad > 0) {
        jsonw_key(w, "bad");
        jsonw_object_begin(w);
        for (size_t i = 0; i < frame->count; i++) {
            const struct sample *s = &frame->samples[i];

            if (s->quality != QUALITY_GOOD)
                jsonw_key_string(w, site->points[s->point].name, quality_name(s->quality));
        }
        jsonw_object_end(w);
    }
    /* An answer that tells nothing of its points (its gate could not be read) is still no silence. */
    if (frame->heard && blind == frame->count && !site->devices[frame->device].derived)
        jsonw_key_bool(w, "heard", true);
    return record_end(w, frame->clock_unsynced, body, length);
}

enum rg_err record_alarm(struct jsonw *w, const struct alarm_change *change, bool unsynced, const char **body,
                         size_t *length)
{
    const struct alarm *a = change->alarm;

    record_begin(w, change->at.wall_ms);
    jsonw_key_string(w, "alarm", a->id);
    jsonw_key_string(w, "event", alarm_event_name(change->event));
    jsonw_key_string(w, "level", level_name(a->level));
    jsonw_key_string(w, "was", level_name(change->was));
    jsonw_key_bool(w, "acked", a->acked);
    jsonw_key_bool(w, "shelved", a->shelved);
    jsonw_key_string(w, "rule", a->rule);
    jsonw_key_string(w, "point", a->point[0] ? a->point : NULL);
    if (!a->point[0]) {
        jsonw_key(w, "points");
        jsonw_array_begin(w);
        for (size_t i = 0; i < change->point_count; i++)
            jsonw_string(w, change->points[i]);
        jsonw_array_end(w);
    }
    jsonw_key_string(w, "area", a->area[0] ? a->area : NULL);
    jsonw_key(w, "value");
    if (change->has_value)
        write_value(w, change->value, change->single);
    else
        jsonw_null(w);
    if (change->has_limit)
        jsonw_key_double(w, "limit", change->limit);
    else
        jsonw_key_null(w, "limit");
    jsonw_key_string(w, "unit", change->unit);
    jsonw_key_string(w, "label", change->label);
    jsonw_key_string(w, "message", change->message);
    if (a->first_out)
        jsonw_key_bool(w, "first_out", true);
    if (change->test)
        jsonw_key_bool(w, "test", true);
    if (a->shelved)
        jsonw_key_int(w, "shelved_until", a->shelved_until_ms);
    jsonw_key_string(w, "by", change->by);
    jsonw_key_string(w, "comment", change->comment);
    return record_end(w, unsynced, body, length);
}
