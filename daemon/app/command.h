/* What riskgatectl may ask of the running daemon. */
#ifndef RG_APP_COMMAND_H
#define RG_APP_COMMAND_H

#include "app/pipeline.h"
#include "base/json_read.h"
#include "control/control.h"

struct metrics_file;

struct command_context {
    struct pipeline *pipeline;
    const char *config_file;
    const char *store_path; /* as whoever asks from another folder can open it */
    int64_t config_loaded_wall_ms;
    int64_t started_mono_ms;
    struct metrics_file *metrics; /* or NULL */
};

/* The result of the command `status`. Not while the pipeline is halted. */
void command_status(const struct command_context *c, enum status_reader who, struct jsonw *w);

/* A control_command_cb's work: writes the result (one JSON value) or an error for people. Commands: status, metrics (its figures
 * as OpenMetrics, in one text), alarms, points, risk, explain, config ({file, sha256, loaded_ts, keys}, keys as config_describe writes them); ack, shelve, unshelve
 * (command_alarm.h); outputs, silence, test; permit; bus, raw, write (command_probe.h), of which the last two are answered
 * later. (`reload` is the app's own: app_impl.h.) */
RG_NODISCARD enum rg_err command_run(const struct command_context *c, struct control_call *call,
                                     const char *command, const struct json *request, uint32_t uid,
                                     struct jsonw *out, char *error, size_t error_size);

#endif
