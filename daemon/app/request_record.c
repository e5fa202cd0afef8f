#include "app/request_record.h"

#include <inttypes.h>

#include "app/pipeline.h"
#include "base/log.h"
#include "record/record.h"

/* What was asked; of what was refused only as much as is known to be well-formed. */
static void write_subject(struct jsonw *w, const struct request *r)
{
    if (r->alarm[0])
        jsonw_key_string(w, "alarm", r->alarm);
    if (r->for_ms > 0)
        jsonw_key_int(w, "for_ms", r->for_ms);
    if (r->from > 0) {
        jsonw_key_string(w, "stream", stream_name(r->stream));
        jsonw_key_int(w, "from", r->from);
        jsonw_key_int(w, "to", r->to);
    }
    if (r->point[0])
        jsonw_key_string(w, "point", r->point);
    if (r->device[0])
        jsonw_key_string(w, "device", r->device);
}

void request_record(struct pipeline *p, const char *uplink, const struct request *request, const char *by,
                    const char *error, bool refused)
{
    const char *command = request_command_name(request->command);
    const int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = &p->event;

    record_begin(w, now);
    jsonw_key_string(w, "kind", "command");
    jsonw_key_string(w, "command", command);
    jsonw_key_string(w, "uplink", uplink);
    jsonw_key_string(w, "id", request->id[0] ? request->id : NULL);
    jsonw_key_bool(w, "ok", error == NULL);
    if (error)
        jsonw_key_string(w, "error", error);
    if (refused)
        jsonw_key_bool(w, "refused", true);
    write_subject(w, request);
    jsonw_key_string(w, "by", by);
    if (request->has_comment)
        jsonw_key_string(w, "comment", request->comment);
    if (error)
        log_tell(LOG_LEVEL_WARNING, &(struct log_about){.uplink = uplink}, "uplink %s: %s of %s: %s", uplink,
                 command ? command : "a command", by, error);
    else
        log_tell(LOG_LEVEL_INFO, &(struct log_about){.uplink = uplink}, "uplink %s: %s carried out for %s",
                 uplink, command, by);
    pipeline_append_event(p, "command", now);
}

void request_record_count(struct pipeline *p, const char *uplink, const struct gate_count *count)
{
    const int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = &p->event;

    log_tell(LOG_LEVEL_WARNING, &(struct log_about){.uplink = uplink},
             "uplink %s: %" PRIu64 " more commands refused, %" PRIu64 " not heard beyond its pace", uplink,
             count->unrecorded, count->unheard);
    record_begin(w, now);
    jsonw_key_string(w, "kind", "command");
    jsonw_key_string(w, "command", NULL);
    jsonw_key_string(w, "uplink", uplink);
    jsonw_key_bool(w, "ok", false);
    jsonw_key_int(w, "refused", (int64_t)count->unrecorded);
    jsonw_key_int(w, "unheard", (int64_t)count->unheard);
    jsonw_key_int(w, "since", count->since_ms);
    pipeline_append_event(p, "command", now);
}
