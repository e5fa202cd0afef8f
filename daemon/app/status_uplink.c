#include "app/status_uplink.h"

static void write_intake(struct jsonw *w, const struct site_uplink *conf, const struct uplink_stats *s)
{
    if (conf->receipts) {
        jsonw_key(w, "receipts");
        jsonw_object_begin(w);
        jsonw_key_int(w, "taken", (int64_t)s->receipts);
        jsonw_key_int(w, "refused", (int64_t)s->receipts_refused);
        jsonw_object_end(w);
    }
    if (conf->may != 0) {
        jsonw_key(w, "requests");
        jsonw_object_begin(w);
        jsonw_key_int(w, "taken", (int64_t)s->requests);
        jsonw_key_int(w, "dropped", (int64_t)s->requests_dropped);
        jsonw_key_int(w, "replies_waiting", (int64_t)s->replies_waiting);
        jsonw_key_int(w, "replies_dropped", (int64_t)s->replies_dropped);
        jsonw_object_end(w);
    }
}

static void write_uplink(struct jsonw *w, const struct pipeline *p, const struct site_uplink *conf,
                         const struct uplink_stats *s)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", conf->name);
    jsonw_key_string(w, "url", conf->url);
    jsonw_key_bool(w, "connected", s->connected);
    jsonw_key_positive(w, "since_ts", s->since_wall_ms);
    jsonw_key(w, "pending");
    jsonw_object_begin(w);
    for (int k = 0; k < STREAM_COUNT; k++)
        jsonw_key_int(w, stream_name((enum stream)k), s->pending[k]);
    jsonw_object_end(w);
    jsonw_key_positive(w, "last_ack_ts", s->last_ack_wall_ms);
    jsonw_key_int(w, "messages", (int64_t)s->messages);
    jsonw_key_int(w, "in_flight", (int64_t)s->in_flight);
    jsonw_key_int(w, "connects", (int64_t)s->connects);
    jsonw_key_int(w, "resent", (int64_t)s->resent);
    jsonw_key_int(w, "refused", (int64_t)s->refused);
    write_intake(w, conf, s);
    if (conf->may != 0) {
        jsonw_key(w, "commands");
        request_desk_figures(p->desk, conf->name, w);
    }
    expiry_write(p->expiry, conf->name, w);
    jsonw_key_string(w, "detail", s->detail[0] ? s->detail : NULL);
    jsonw_object_end(w);
}

void status_write_uplinks(const struct pipeline *p, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < p->uplink_count; i++) {
        struct uplink_stats s = {.detail = "its connection of before a reload is being closed"};

        if (p->uplinks[i])
            uplink_stats(p->uplinks[i], &s);
        write_uplink(w, p, &p->site->uplinks[i], &s);
    }
    jsonw_array_end(w);
}
