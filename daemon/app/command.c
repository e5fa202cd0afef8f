#include "app/command.h"

#include <string.h>

#include "app/command_alarm.h"
#include "app/command_explain.h"
#include "app/command_output.h"
#include "app/command_permit.h"
#include "app/command_probe.h"
#include "app/field.h"
#include "app/metrics_file.h"
#include "app/status_uplink.h"
#include "base/log.h"
#include "base/text.h"
#include "record/record.h"

static void write_store(const struct command_context *c, struct jsonw *w)
{
    const struct pipeline *p = c->pipeline;
    struct store_stats s;

    store_stats(p->store, &s);
    jsonw_object_begin(w);
    jsonw_key_string(w, "path", c->store_path);
    jsonw_key_bool(w, "ok", s.ok);
    jsonw_key_int(w, "size", s.size);
    jsonw_key_int(w, "free", s.free);
    jsonw_key_int(w, "last_commit_ms", s.last_commit_ms);
    jsonw_key_int(w, "lost", (int64_t)s.lost);
    jsonw_key_int(w, "commits", (int64_t)s.commits);
    jsonw_key_int(w, "failures", (int64_t)s.failures);
    jsonw_key_int(w, "waiting", (int64_t)s.waiting_bytes);
    jsonw_key_int(w, "unrecorded", (int64_t)p->unrecorded);
    jsonw_key_int(w, "rollups_lost", (int64_t)s.rollups_lost);
    jsonw_key(w, "head");
    jsonw_object_begin(w);
    for (int i = 0; i < STREAM_COUNT; i++)
        jsonw_key_int(w, stream_name((enum stream)i), s.head[i]);
    jsonw_object_end(w);
    store_watch_status(w, p);
    jsonw_object_end(w);
}

void command_status(const struct command_context *c, enum status_reader who, struct jsonw *w)
{
    struct pipeline *p = c->pipeline;

    jsonw_object_begin(w);
    jsonw_key_string(w, "version", p->env.version);
    jsonw_key_string(w, "gateway", p->site->gateway.id);
    jsonw_key_int(w, "ts", loop_wall_ms(p->loop));
    jsonw_key_int(w, "uptime_s", (loop_mono_ms(p->loop) - c->started_mono_ms) / 1000);
    jsonw_key_int(w, "boot", p->boot);
    jsonw_key(w, "config");
    jsonw_object_begin(w);
    jsonw_key_string(w, "file", c->config_file);
    jsonw_key_string(w, "sha256", p->config_sha256);
    jsonw_key_int(w, "loaded_ts", c->config_loaded_wall_ms);
    jsonw_object_end(w);
    jsonw_key_bool(w, "clock_synced", loop_clock_synced(p->loop));
    jsonw_key_positive(w, "clock_since_ts", p->clock.since_ms);
    jsonw_key_string(w, "level", level_name(rules_level(p->rules)));
    jsonw_key(w, "alarms");
    command_alarm_figures(p, w);
    jsonw_key(w, "buses");
    field_write_buses(w, p);
    jsonw_key(w, "devices");
    field_write_devices(w, p);
    jsonw_key(w, "outputs");
    command_output_list(p, w);
    jsonw_key(w, "permits");
    command_permit_list(p, w);
    jsonw_key(w, "store");
    write_store(c, w);
    jsonw_key(w, "uplinks");
    status_write_uplinks(p, w);
    if (p->site->self_test.every_ms > 0) {
        jsonw_key(w, "self_test");
        self_test_status(p, w);
    }
    metrics_file_status(c->metrics, w);
    jsonw_key(w, "loop");
    jsonw_object_begin(w);
    jsonw_key_int(w, "late_max_ms", status_late_take(&p->late, p->loop, who));
    jsonw_object_end(w);
    jsonw_key(w, "log");
    jsonw_object_begin(w);
    jsonw_key_int(w, "lost", (int64_t)log_lost());
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static enum rg_err command_config(const struct command_context *c, struct jsonw *w)
{
    struct jsonw keys;
    enum rg_err err;

    jsonw_init(&keys, 0);
    err = config_describe(c->pipeline->site, &keys);
    jsonw_object_begin(w);
    jsonw_key_string(w, "file", c->config_file);
    jsonw_key_string(w, "sha256", c->pipeline->config_sha256);
    jsonw_key_int(w, "loaded_ts", c->config_loaded_wall_ms);
    jsonw_key(w, "keys");
    jsonw_raw(w, keys.text, keys.length);
    jsonw_object_end(w);
    jsonw_free(&keys);
    return err;
}

static void command_points(const struct command_context *c, struct jsonw *w)
{
    const struct pipeline *p = c->pipeline;

    jsonw_array_begin(w);
    for (size_t i = 0; i < p->site->point_count; i++) {
        const struct site_point *point = &p->site->points[i];
        const struct evidence_sample live = evidence_last(&p->evidence, (uint32_t)i);

        jsonw_object_begin(w);
        jsonw_key_string(w, "point", point->full_name);
        jsonw_key_string(w, "label", point->label ? point->label : p->site->devices[point->device].label);
        jsonw_key(w, "value");
        if (live.quality != QUALITY_GOOD)
            jsonw_null(w);
        else
            record_value(w, point, live.value);
        if (live.quality == QUALITY_GOOD && point_word(point, live.value))
            jsonw_key_string(w, "text", point_word(point, live.value));
        jsonw_key_string(w, "unit", point->unit);
        jsonw_key_string(w, "quality", quality_name(live.quality));
        jsonw_key_positive(w, "ts", live.wall_ms);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void command_risk(const struct command_context *c, struct jsonw *w)
{
    const struct pipeline *p = c->pipeline;

    jsonw_object_begin(w);
    jsonw_key_string(w, "level", level_name(rules_level(p->rules)));
    jsonw_key(w, "areas");
    jsonw_object_begin(w);
    for (uint32_t i = 0; i < p->site->area_count; i++) {
        const struct site_area *a = &p->site->areas[i];
        size_t alarms = 0;
        enum level level = rules_area_level(p->rules, i, &alarms);

        jsonw_key(w, a->name);
        jsonw_object_begin(w);
        jsonw_key_string(w, "label", a->label);
        jsonw_key_string(w, "parent", a->parent == SITE_NONE ? NULL : p->site->areas[a->parent].name);
        jsonw_key_string(w, "level", level_name(level));
        jsonw_key_string(w, "inherent", level_name(a->inherent));
        jsonw_key_int(w, "alarms", (int64_t)alarms);
        jsonw_key_string(w, "measure", a->measure);
        jsonw_key_string(w, "responsible", a->resp_person);
        jsonw_key_string(w, "phone", a->resp_phone);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
    jsonw_object_end(w);
}

enum rg_err command_run(const struct command_context *c, struct control_call *call, const char *command,
                        const struct json *request, uint32_t uid, struct jsonw *out, char *error,
                        size_t error_size)
{
    const struct probe_peer peer = {call, uid};

    if (!c->pipeline->poll) {
        (void)text_copy(error, error_size, "the daemon is stopping");
        return RG_ESTATE;
    }
    if (strcmp(command, "status") == 0)
        command_status(c, STATUS_PEOPLE, out);
    else if (strcmp(command, "metrics") == 0)
        return metrics_file_command(c, out);
    else if (strcmp(command, "alarms") == 0)
        command_alarm_list(c->pipeline, out);
    else if (strcmp(command, "points") == 0)
        command_points(c, out);
    else if (strcmp(command, "risk") == 0)
        command_risk(c, out);
    else if (strcmp(command, "config") == 0)
        return command_config(c, out);
    else if (strcmp(command, "outputs") == 0)
        command_output_list(c->pipeline, out);
    else if (strcmp(command, "ack") == 0)
        return command_ack(c->pipeline, request, out, error, error_size);
    else if (strcmp(command, "shelve") == 0)
        return command_shelve(c->pipeline, request, out, error, error_size);
    else if (strcmp(command, "unshelve") == 0)
        return command_unshelve(c->pipeline, request, out, error, error_size);
    else if (strcmp(command, "explain") == 0)
        return command_explain(c->pipeline, request, out, error, error_size);
    else if (strcmp(command, "bus") == 0)
        return command_bus(c->pipeline, request, out, error, error_size);
    else if (strcmp(command, "raw") == 0)
        return command_raw(c->pipeline, peer, request, error, error_size);
    else if (strcmp(command, "write") == 0)
        return command_write(c->pipeline, peer, request, error, error_size);
    else if (strcmp(command, "self_test") == 0)
        return self_test_command(c->pipeline, call, request, error, error_size);
    else if (strcmp(command, "report") == 0)
        return reports_command(c->pipeline, call, request, error, error_size);
    else if (strcmp(command, "permit") == 0)
        return command_permit(c->pipeline, request, out, error, error_size);
    else if (strcmp(command, "silence") == 0)
        return command_output_silence(c->pipeline, request, out, error, error_size);
    else if (strcmp(command, "test") == 0)
        return command_output_test(c->pipeline, request, out, error, error_size);
    else {
        (void)text_format(error, error_size, "unknown command %.32s", command);
        return RG_EUNSUPPORTED;
    }
    return RG_OK;
}
