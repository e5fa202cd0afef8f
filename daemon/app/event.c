#include "app/event.h"

#include <inttypes.h>
#include <string.h>

#include "app/message_id.h"
#include "base/log.h"
#include "record/record.h"

/* ts first, then kind, then what belongs to the kind. */
static struct jsonw *event_begin(struct pipeline *p, const char *kind, int64_t wall_ms)
{
    record_begin(&p->event, wall_ms);
    jsonw_key_string(&p->event, "kind", kind);
    return &p->event;
}

void event_start(struct pipeline *p, bool clean)
{
    struct jsonw *w = event_begin(p, "start", p->taken.at.wall_ms);

    log_tell(LOG_LEVEL_INFO, &(struct log_about){.message_id = MESSAGE_STARTED},
             "riskgated %s started: gateway %s, boot %" PRId64 "%s", p->env.version, p->site->gateway.id,
             p->boot, clean ? "" : ", the last run did not end cleanly");
    jsonw_key_int(w, "boot", p->boot);
    jsonw_key_string(w, "version", p->env.version);
    jsonw_key_bool(w, "clean", clean);
    jsonw_key_string(w, "config", p->config_sha256);
    if (p->primed_ms > 0)
        jsonw_key_int(w, "primed", p->primed_ms);
    pipeline_append_event_at(p, "start", p->taken.at, p->taken.turn);
    p->taken.turn = 0;
}

void event_stop(struct pipeline *p, const char *reason, struct moment now)
{
    struct jsonw *w = event_begin(p, "stop", now.wall_ms);

    log_tell(LOG_LEVEL_INFO, &(struct log_about){.message_id = MESSAGE_STOPS}, "riskgated stops: %s", reason);
    jsonw_key_string(w, "reason", reason);
    pipeline_append_event_at(p, "stop", now, 0);
}

void event_device(void *arg, uint32_t device, enum unit_state state, const char *detail)
{
    struct pipeline *p = arg;
    const struct site_device *d = &p->site->devices[device];
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "device", now);
    bool online = state == UNIT_ONLINE;

    say_device(p, d, online, detail);
    jsonw_key_string(w, "device", d->name);
    jsonw_key_string(w, "bus", site_bus_name(p->site, d));
    jsonw_key_string(w, "state", online ? "online" : "offline");
    jsonw_key_string(w, "detail", detail);
    pipeline_append_event(p, "device", now);
}

void event_bus(void *arg, uint32_t bus, enum bus_state state, const char *detail)
{
    struct pipeline *p = arg;
    const char *name = p->site->buses[bus].name;
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "device", now);

    say_bus(p, name, state == BUS_UP, detail);
    jsonw_key_null(w, "device");
    jsonw_key_string(w, "bus", name);
    jsonw_key_string(w, "state", bus_state_name(state));
    jsonw_key_string(w, "detail", detail);
    pipeline_append_event(p, "device", now);
}

void event_note(void *arg, uint32_t device, const char *text)
{
    struct pipeline *p = arg;

    say_note(p, &p->site->devices[device], text);
}

void event_uplink(struct pipeline *p, const char *uplink, bool up, const char *detail)
{
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "uplink", now);

    say_uplink(p, uplink, up, detail);
    jsonw_key_string(w, "uplink", uplink);
    jsonw_key_string(w, "state", up ? "back" : "lost");
    jsonw_key_string(w, "detail", detail);
    pipeline_append_event(p, "uplink", now);
}

void event_lost(struct pipeline *p, enum stream stream, int64_t first, int64_t last, uint64_t count,
                const char *cause)
{
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "lost", now);

    say_lost(p, stream, count, cause);
    jsonw_key_string(w, "stream", stream_name(stream));
    jsonw_key_positive(w, "first", first);
    jsonw_key_positive(w, "last", last);
    jsonw_key_int(w, "count", (int64_t)count);
    jsonw_key_string(w, "cause", cause);
    if (strcmp(cause, "corrupt") == 0 || strcmp(cause, "missing") == 0)
        jsonw_key_string(w, "file", store_aside(p->store));
    pipeline_append_event(p, "lost", now);
}

/* The store is told of like a device that was silent, but of the gateway itself: neither a device nor a bus. */
void event_store(struct pipeline *p, int64_t from_ms, int64_t to_ms, const char *why)
{
    struct jsonw *w = event_begin(p, "device", to_ms);

    jsonw_key_null(w, "device");
    jsonw_key_null(w, "bus");
    jsonw_key_string(w, "part", "store");
    jsonw_key_string(w, "state", "online");
    jsonw_key_int(w, "from", from_ms);
    jsonw_key_int(w, "to", to_ms);
    jsonw_key_string(w, "detail", why);
    pipeline_append_event(p, "device", to_ms);
}

void event_clock(struct pipeline *p, int64_t step_ms, bool synced)
{
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "clock", now);

    log_warning("system clock: step of %" PRId64 " ms, %s", step_ms,
                synced ? "synchronised" : "not synchronised");
    jsonw_key_int(w, "step_ms", step_ms);
    jsonw_key_bool(w, "synced", synced);
    pipeline_append_event(p, "clock", now);
}

void event_level(struct pipeline *p, uint32_t area, enum level level, enum level was, struct moment at)
{
    struct jsonw *w = event_begin(p, "level", at.wall_ms);
    const char *name = area == SITE_NONE ? NULL : p->site->areas[area].name;

    /* The alarm that led to it has its line already: of the areas one would be too many. */
    if (name)
        log_tell(LOG_LEVEL_DEBUG, &(struct log_about){.area = name}, "area %s: level %s -> %s", name,
                 level_name(was), level_name(level));
    else
        log_tell(LOG_LEVEL_INFO, &(struct log_about){.message_id = MESSAGE_LEVEL},
                 "level of the gateway: %s -> %s", level_name(was), level_name(level));
    jsonw_key_string(w, "area", name);
    jsonw_key_string(w, "level", level_name(level));
    jsonw_key_string(w, "was", level_name(was));
    /* What the rules do as they begin is told before `start` is: it must not stand before that in the order of turns, in which each stream is
     * read from its first number on. */
    pipeline_append_event_at(p, "level", at, p->taken.turn);
}

void event_command_alarm(struct pipeline *p, const struct act *act)
{
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "command", now);
    const struct log_about about = {.alarm = act->alarm, .uplink = act->uplink};
    char length[32];

    if (act->kind == ACT_SHELVE)
        log_tell(LOG_LEVEL_INFO, &about, "alarm %s shelved for %s by %s", act->alarm,
                 text_format_duration(act->for_ms, length), act->by);
    else
        log_tell(LOG_LEVEL_INFO, &about, "alarm %s %s by %s", act->alarm,
                 act->kind == ACT_ACK ? "acknowledged" : "unshelved", act->by);
    jsonw_key_string(w, "command", act_kind_name(act->kind));
    if (act->uplink) {
        jsonw_key_string(w, "uplink", act->uplink);
        jsonw_key_string(w, "id", act->id);
        jsonw_key_bool(w, "ok", true);
    }
    jsonw_key_string(w, "alarm", act->alarm);
    if (act->kind == ACT_SHELVE)
        jsonw_key_int(w, "for_ms", act->for_ms);
    jsonw_key_string(w, "by", act->by);
    jsonw_key_string(w, "comment", act->comment);
    pipeline_append_event(p, "command", now);
}

void event_words(struct jsonw *w, const char *key, const uint16_t *words, size_t count)
{
    jsonw_key(w, key);
    if (!words) {
        jsonw_null(w);
        return;
    }
    jsonw_array_begin(w);
    for (size_t i = 0; i < count; i++)
        jsonw_int(w, words[i]);
    jsonw_array_end(w);
}

void event_command_write(struct pipeline *p, const struct event_write *e)
{
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "command", now);
    const char *outcome = driver_result_name(e->answer->result);

    log_tell(LOG_LEVEL_WARNING, &(struct log_about){.bus = e->bus, .device = e->device},
             "bus %s, unit %u: %u of %s from %u on written by %s (user id %u): %s%s%s", e->bus, e->ask->unit,
             e->ask->count, point_space_name(e->ask->space), e->ask->address, e->by, e->uid, outcome,
             e->answer->detail[0] ? ": " : "", e->answer->detail);
    jsonw_key_string(w, "command", "write");
    jsonw_key_string(w, "by", e->by);
    jsonw_key_int(w, "uid", e->uid);
    jsonw_key_string(w, "bus", e->bus);
    jsonw_key_int(w, "unit", e->ask->unit);
    jsonw_key_string(w, "device", e->device);
    jsonw_key_string(w, "space", point_space_name(e->ask->space));
    jsonw_key_int(w, "address", e->ask->address);
    event_words(w, "values", e->ask->values, e->ask->count);
    event_words(w, "old", e->old, e->ask->count);
    event_words(w, "new", e->now, e->ask->count);
    jsonw_key_string(w, "outcome", outcome);
    jsonw_key_positive(w, "exception", e->answer->exception);
    jsonw_key_string(w, "detail", e->answer->detail[0] ? e->answer->detail : NULL);
    pipeline_append_event(p, "command", now);
}

void event_command_output(struct pipeline *p, const char *command, uint32_t output, int64_t for_ms,
                          const char *by)
{
    const char *name = p->site->outputs[output].name;
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "command", now);

    log_tell(LOG_LEVEL_INFO, &(struct log_about){.output = name}, "output %s: %s by %s", name,
             for_ms > 0 ? "tested" : "silenced", by);
    jsonw_key_string(w, "command", command);
    jsonw_key_string(w, "output", name);
    if (for_ms > 0)
        jsonw_key_int(w, "for_ms", for_ms);
    jsonw_key_string(w, "by", by);
    pipeline_append_event(p, "command", now);
}

void event_command_permit(struct pipeline *p, uint32_t permit, int64_t for_ms, const char *by,
                          struct moment at, int64_t turn)
{
    const char *name = p->site->permits[permit].name;
    struct jsonw *w = event_begin(p, "command", at.wall_ms);
    char length[32];

    if (for_ms > 0)
        log_info("permit %s opened for %s by %s", name, text_format_duration(for_ms, length), by);
    else
        log_info("permit %s closed by %s", name, by);
    jsonw_key_string(w, "command", "permit");
    jsonw_key_string(w, "permit", name);
    jsonw_key_string(w, "action", for_ms > 0 ? "open" : "close");
    if (for_ms > 0) {
        jsonw_key_int(w, "for_ms", for_ms);
        jsonw_key_int(w, "until", at.wall_ms + for_ms);
    }
    jsonw_key_string(w, "by", by);
    pipeline_append_event_at(p, "command", at, turn);
}

void event_self_test(struct pipeline *p, const struct past_test *test, const char *of, const char *alarm,
                     const char *detail, struct moment now)
{
    struct jsonw *w = event_begin(p, "self_test", now.wall_ms);
    const struct log_about about = {.alarm = alarm, .uplink = test->uplink};

    if (detail)
        log_tell(LOG_LEVEL_WARNING, &about, "self test %s through uplink %s failed: %s", alarm, test->uplink,
                 detail);
    else
        log_tell(LOG_LEVEL_INFO, &about, "self test %s through uplink %s: %s after %" PRId64 " ms", alarm,
                 test->uplink, of, test->round_trip_ms);
    jsonw_key_string(w, "uplink", test->uplink);
    jsonw_key_bool(w, "ok", !detail);
    if (detail)
        jsonw_key_null(w, "round_trip_ms");
    else
        jsonw_key_int(w, "round_trip_ms", test->round_trip_ms);
    jsonw_key_string(w, "of", of);
    jsonw_key_string(w, "alarm", alarm);
    jsonw_key_string(w, "detail", detail);
    pipeline_append_event_at(p, "self_test", now, 0);
}

void event_command_self_test(struct pipeline *p, const char *uplink, const char *by)
{
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = event_begin(p, "command", now);

    log_info("self test through %s asked for by %s", uplink ? uplink : "all uplinks", by);
    jsonw_key_string(w, "command", "self_test");
    jsonw_key_string(w, "uplink", uplink);
    jsonw_key_string(w, "by", by);
    pipeline_append_event(p, "command", now);
}
