#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/actuate.h"
#include "app/app_impl.h"
#include "app/event.h"
#include "app/metrics_file.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/notify.h"

#define RETURN_LOOK_MS 20

struct pipeline *app_pipeline(struct app *a)
{
    return &a->pipeline;
}

/* ---- stop ---- */

static void stop_begin(struct app *a);

/* Stops once all uplinks are connected, or when that takes too long. */
static void return_step(struct app *a)
{
    const struct pipeline *p = &a->pipeline;
    int64_t now_ms = loop_mono_ms(a->loop);
    bool all = true;

    for (size_t i = 0; i < p->uplink_count; i++) {
        struct uplink_stats s;

        if (!p->uplinks[i])
            continue;
        uplink_stats(p->uplinks[i], &s);
        all = all && s.connected;
    }
    if (all || now_ms >= a->return_until_ms)
        stop_begin(a);
    else
        loop_timer_at(a->left, now_ms + RETURN_LOOK_MS);
}

static void all_left_cb(void *arg)
{
    struct app *a = arg;

    if (a->state == APP_SWITCHING) {
        reload_left(a);
    } else if (a->state == APP_RETURNING) {
        return_step(a);
    } else {
        a->state = APP_STOPPED;
        pipeline_uplinks_free(&a->pipeline);
        a->stopped(a->stopped_arg);
    }
}

static void uplink_left_cb(void *arg)
{
    struct app *a = arg;

    if (--a->leaving == 0)
        loop_timer_at(a->left, loop_mono_ms(a->loop));
}

/* After a reload the same platform hears from this gateway at the same place again. */
static bool comes_back(const struct site_uplink *old, const struct site *site)
{
    for (size_t i = 0; i < site->uplink_count; i++) {
        const struct site_uplink *u = &site->uplinks[i];

        if (strcmp(u->host, old->host) == 0 && u->port == old->port &&
            strcmp(u->topic_root, old->topic_root) == 0)
            return true;
    }
    return false;
}

void app_uplinks_leave(struct app *a, struct uplink **uplinks, size_t count, bool online, int64_t timeout_ms)
{
    struct pipeline *p = &a->pipeline;

    a->leaving = count + 1; /* the one more: so that it does not reach 0 inside this loop */
    for (size_t i = 0; i < count; i++) {
        const char *final = NULL; /* out of memory: they leave without a word, rather than with half a one */

        if (!uplinks[i]) {
            a->leaving--;
            continue;
        }
        pipeline_write_state(p, online && comes_back(uplink_conf(uplinks[i]), p->site));
        if (jsonw_error(&p->document) == RG_OK)
            final = p->document.text;
        uplink_stop(uplinks[i], final, final ? p->document.length : 0, timeout_ms, uplink_left_cb, a);
    }
    uplink_left_cb(a);
}

static void stop_flushed_cb(void *arg, bool ok)
{
    struct app *a = arg;

    if (!ok)
        log_error("store: the last records could not be committed before the stop");
    a->state = APP_LEAVING;
    app_uplinks_leave(a, a->pipeline.uplinks, a->pipeline.uplink_count, false, APP_STOP_UPLINK_MS);
}

static void stop_released_cb(void *arg)
{
    struct app *a = arg;
    struct moment now;

    a->state = APP_FLUSHING;
    pipeline_halt(&a->pipeline);
    /* The run ends at one instant for all: what is due by then has happened, here as in a replay. */
    now = pipeline_now(&a->pipeline);
    rules_tick(a->pipeline.rules, now);
    recording_stop(&a->pipeline);
    event_stop(&a->pipeline, a->stop_reason, now);
    store_flush(a->pipeline.store, stop_flushed_cb, a);
}

static void stop_begin(struct app *a)
{
    a->state = APP_RELEASING;
    control_destroy(a->control);
    a->control = NULL;
    actuate_release(&a->pipeline, NULL, APP_OUTPUT_MS, stop_released_cb, a);
}

void app_stop_now(struct app *a)
{
    a->state = APP_RETURNING;
    return_step(a);
}

void app_stop(struct app *a, const char *reason, void (*done)(void *arg), void *arg)
{
    if (a->stop_wanted)
        return;
    a->stop_wanted = true;
    a->stopped = done;
    a->stopped_arg = arg;
    (void)text_copy(a->stop_reason, sizeof a->stop_reason, reason);
    supervise_stopping(a->supervise);
    reload_give_up(a);
    if (a->state == APP_RUNNING || a->state == APP_LOADING)
        app_stop_now(a);
}

/* ---- control ---- */

static enum rg_err control_cb(void *arg, struct control_call *call, const char *command,
                              const struct json *request, uint32_t uid, struct jsonw *out, char *error,
                              size_t error_size)
{
    struct app *a = arg;

    if (!door_lets(&a->door, a->pipeline.site, call, uid, command, loop_mono_ms(a->loop), error, error_size))
        return RG_EPERM;
    if (strcmp(command, "reload") == 0)
        return reload_command(a, call, uid, error, error_size);
    return command_run(&a->context, call, command, request, uid, out, error, error_size);
}

enum rg_err app_control_create(struct app *a, const struct site *site, struct control **out)
{
    const char *path = site->control_socket;
    struct control_rights rights;
    char why[256];
    int reason = 0;
    enum rg_err err;

    *out = NULL;
    if (!path)
        return RG_OK;
    if (!door_rights(site, &rights, why, sizeof why)) {
        log_error("%s", why);
        return RG_EPERM;
    }
    err = control_create(a->loop, path, &rights, control_cb, a, out, &reason);
    if (err == RG_EEXIST)
        log_error("control: another riskgated answers on %s", path);
    else if (err != RG_OK)
        log_error("control: cannot listen on %s: %s", path, reason ? strerror(reason) : rg_err_text(err));
    return err;
}

/* ---- start ---- */

/* What was changed while nobody watched is told like any other change. */
static void tell_changes_since(struct app *a, const struct store_start *start)
{
    struct config_diff diff = {0};
    struct asked asked = {.count = 0};
    enum rg_err err = RG_OK;

    asked_add(&asked, "start");
    if (start->config)
        err = config_diff_text(start->config, start->config_length, a->config->site, &diff);
    if (err != RG_OK) {
        log_error("what was changed in the configuration since the last run cannot be told: %s",
                  rg_err_text(err));
        config_diff_free(&diff);
    }
    pipeline_forget(&a->pipeline, err == RG_OK ? &diff : NULL);
    if (diff.count > 0)
        event_config_applied(&a->pipeline, a->config, &diff, &asked);
    if (diff.count > 0 || err != RG_OK || !start->config)
        reload_keep(a, &diff, NULL);
    config_diff_free(&diff);
}

static enum rg_err app_open(struct app *a, const struct pipeline_env *env)
{
    char why[512] = "";
    struct store_start start = {0};
    enum rg_err err;

    err = pipeline_open(&a->pipeline, a->loop, env, a->config->site, a->config->sha256, &start, why,
                        sizeof why);
    if (err != RG_OK) {
        log_error("cannot start: %s", why[0] ? why : rg_err_text(err));
    } else {
        event_start(&a->pipeline, start.clean || start.fresh);
        tell_changes_since(a, &start);
        err = pipeline_uplinks_start(&a->pipeline);
        if (err != RG_OK)
            log_error("cannot start: an uplink could not be made: %s", rg_err_text(err));
    }
    store_start_free(&start);
    memory_give_back();
    return err;
}

static enum rg_err manager_send(void *arg, const char *state)
{
    (void)arg;
    return notify_send(state);
}

static enum rg_err app_supervise(struct app *a)
{
    const struct supervise_manager manager = {.send = manager_send, .watchdog_ms = notify_watchdog_ms()};

    return supervise_create(a->loop, &a->pipeline, &manager, &a->supervise);
}

/* Once: to ask the disk each time would be to wait for it, should it stand still. */
static enum rg_err app_store_path(struct app *a)
{
    const char *path = a->config->site->store.path;
    char folder[PATH_MAX];

    if (path[0] == '/' || !getcwd(folder, sizeof folder))
        a->store_path = strdup(path);
    else if (asprintf(&a->store_path, "%s/%s", folder, path) < 0)
        a->store_path = NULL; /* undefined after a failure */
    a->context.store_path = a->store_path;
    return a->store_path ? RG_OK : RG_ENOMEM;
}

enum rg_err app_create(struct loop *loop, const struct pipeline_env *env, struct config *config,
                       struct app **out)
{
    struct app *a = calloc(1, sizeof *a);
    enum rg_err err = RG_ENOMEM;

    *out = NULL;
    if (!a) {
        config_free(config);
        return err;
    }
    a->loop = loop;
    a->config = config;
    a->context.pipeline = &a->pipeline;
    a->context.config_file = config->file;
    a->context.config_loaded_wall_ms = loop_wall_ms(loop);
    a->context.started_mono_ms = loop_mono_ms(loop);
    log_set_level(config->site->log_level);
    err = app_store_path(a);
    if (err == RG_OK)
        err = reload_init(a);
    if (err == RG_OK)
        err = loop_worker_create(loop, "config", reload_load_cb, reload_loaded_cb, a, &a->loader);
    if (err == RG_OK)
        err = loop_timer_create(loop, all_left_cb, a, &a->left);
    if (err == RG_OK)
        err = app_supervise(a);
    if (err == RG_OK)
        err = app_open(a, env);
    if (err == RG_OK)
        err = metrics_file_create(&a->context, &a->context.metrics);
    if (err == RG_OK)
        err = app_control_create(a, config->site, &a->control);
    if (err == RG_OK) {
        metrics_file_follow(a->context.metrics);
        supervise_ready(a->supervise);
    }
    if (err != RG_OK) {
        (void)app_destroy(a);
        return err;
    }
    *out = a;
    return RG_OK;
}

enum rg_err app_destroy(struct app *a)
{
    enum rg_err err;

    if (!a)
        return RG_OK;
    control_destroy(a->control);
    control_destroy(a->control_next);
    prime_cancel(a->reload.prime);
    loop_worker_destroy(a->loader);
    loop_timer_destroy(a->left);
    supervise_destroy(a->supervise);
    err = pipeline_close(&a->pipeline);
    metrics_file_destroy(a->context.metrics); /* last: it waits for a disk that may not be the store's */
    reload_free(a);
    free(a->stamps);
    free(a->store_path);
    config_free(a->retired);
    config_free(a->config);
    free(a);
    return err;
}
