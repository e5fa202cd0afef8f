#include "app/app.h"

#include <stdlib.h>
#include <string.h>

#include "app/actuate.h"
#include "app/command.h"
#include "app/door.h"
#include "app/event.h"
#include "app/widen.h"
#include "base/log.h"
#include "config/diff.h"
#include "control/control.h"

enum app_state {
    APP_RUNNING,
    APP_LOADING,   /* a new configuration is being read off the loop; all else goes on */
    APP_YIELDING,  /* it is good: outputs that it has no more are brought to their on_stop states */
    APP_SWITCHING, /* it was taken; the old uplinks say goodbye before the new ones begin */
    APP_RETURNING, /* a stop came meanwhile or right after: the new ones connect first, since the old ones said "online" */
    APP_RELEASING, /* stopping: the outputs are brought to their on_stop states */
    APP_FLUSHING,  /* stopping: the store commits the last records */
    APP_LEAVING,   /* stopping: the uplinks send what waits */
    APP_STOPPED,
};

#define BY_MAX 64
#define RETURN_MS 2000 /* for the new uplinks to connect */
#define RETURN_LOOK_MS 20

struct app {
    struct loop *loop;
    struct pipeline pipeline;
    enum app_state state;
    struct config *config;   /* in force */
    struct config *loaded;   /* read by the worker, not judged yet */
    struct config *retired;  /* still referred to by uplinks that are leaving */
    struct config_diff diff; /* while switching: of the retired to that in force */
    struct loop_worker *loader;
    struct control *control;
    struct door door;
    struct command_context context;
    size_t leaving;          /* uplinks that have not said goodbye yet */
    struct loop_timer *left; /* fires once all have: an uplink is not freed inside its own callback */
    char reload_by[BY_MAX];
    char reload_next_by[BY_MAX]; /* who asked while one was under way; empty: nobody */
    char stop_reason[BY_MAX];
    bool stop_wanted;        /* carried out at once, or after switching */
    int64_t return_until_ms; /* monotonic: so long new uplinks have to connect; 0: never switched */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

struct pipeline *app_pipeline(struct app *a)
{
    return &a->pipeline;
}

/* ---- stop ---- */

static void stop_begin(struct app *a);
static void switch_finish(struct app *a);

/* Stops once all uplinks are connected, or when that takes too long. */
static void return_step(struct app *a)
{
    const struct pipeline *p = &a->pipeline;
    int64_t now_ms = loop_mono_ms(a->loop);
    bool all = true;

    for (size_t i = 0; p->uplinks && i < p->uplink_count; i++) {
        struct uplink_stats s;

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
        switch_finish(a);
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

/* Sends every uplink off with its final state document: a platform that hears no more must not take the gateway for alive. */
static void uplinks_leave(struct app *a, bool online, int64_t timeout_ms)
{
    struct pipeline *p = &a->pipeline;
    size_t count = p->uplinks ? p->uplink_count : 0;

    a->leaving = count + 1; /* the one more: so that it does not reach 0 inside this loop */
    for (size_t i = 0; i < count; i++) {
        const char *final = NULL; /* out of memory: they leave without a word, rather than with half a one */

        pipeline_write_state(p, online && comes_back(&p->uplink_site->uplinks[i], p->site));
        if (jsonw_error(&p->document) == RG_OK)
            final = p->document.text;
        uplink_stop(p->uplinks[i], final, final ? p->document.length : 0, timeout_ms, uplink_left_cb, a);
    }
    uplink_left_cb(a);
}

static void stop_flushed_cb(void *arg, bool ok)
{
    struct app *a = arg;

    if (!ok)
        log_error("store: the last records could not be committed before the stop");
    a->state = APP_LEAVING;
    uplinks_leave(a, false, APP_STOP_UPLINK_MS);
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

void app_stop(struct app *a, const char *reason, void (*done)(void *arg), void *arg)
{
    if (a->stop_wanted)
        return;
    a->stop_wanted = true;
    a->stopped = done;
    a->stopped_arg = arg;
    (void)text_copy(a->stop_reason, sizeof a->stop_reason, reason);
    if (a->state == APP_RUNNING || a->state == APP_LOADING) {
        a->state = APP_RETURNING;
        return_step(a);
    }
}

/* ---- control ---- */

static enum rg_err control_cb(void *arg, struct control_call *call, const char *command,
                              const struct json *request, uint32_t uid, struct jsonw *out, char *error,
                              size_t error_size)
{
    struct app *a = arg;

    if (!door_lets(&a->door, a->pipeline.site, call, uid, command, loop_mono_ms(a->loop), error, error_size))
        return RG_EPERM;
    return command_run(&a->context, call, command, request, uid, out, error, error_size);
}

static enum rg_err control_open(struct app *a)
{
    const char *path = a->pipeline.site->control_socket;
    struct control_rights rights;
    char why[256];
    int reason = 0;
    enum rg_err err;

    if (!path)
        return RG_OK;
    if (!door_rights(a->pipeline.site, &rights, why, sizeof why)) {
        log_error("%s", why);
        return RG_EPERM;
    }
    err = control_create(a->loop, path, &rights, control_cb, a, &a->control, &reason);
    if (err == RG_EEXIST)
        log_error("control: another riskgated answers on %s", path);
    else if (err != RG_OK)
        log_error("control: cannot listen on %s: %s", path, reason ? strerror(reason) : rg_err_text(err));
    return err;
}

/* ---- reload ---- */

static void load_run_cb(void *arg)
{
    struct app *a = arg;

    if (config_load(a->config->file, &a->loaded) != RG_OK)
        a->loaded = NULL;
}

static void reload_next(struct app *a)
{
    a->state = APP_RUNNING;
    if (a->stop_wanted) {
        a->state = APP_RETURNING;
        return_step(a);
    } else if (a->reload_next_by[0]) {
        char by[BY_MAX];

        (void)text_copy(by, sizeof by, a->reload_next_by);
        a->reload_next_by[0] = '\0';
        app_reload(a, by);
    }
}

/* Once its event is on its way, and while no uplink is at work: what it means for their cursors, and what the next start compares
 * with. */
static void config_keep(struct app *a, const struct config_diff *diff)
{
    struct pipeline *p = &a->pipeline;
    enum rg_err err = widen_cursors(p->store, p->site, diff);
    struct jsonw text;

    jsonw_init(&text, 0);
    if (err == RG_OK)
        err = config_describe(p->site, &text);
    if (err == RG_OK)
        err = store_config_put(p->store, text.text, text.length);
    jsonw_free(&text);
    if (err != RG_OK)
        log_error("the configuration in force cannot be kept (%s): the next start tells its changes again",
                  rg_err_text(err));
}

/* The same socket as before: who is connected stays, under the rights that are in force now. */
static void control_follow(struct app *a)
{
    struct control_rights rights;
    char why[256];
    int reason = 0;

    if (!door_rights(a->pipeline.site, &rights, why,
                     sizeof why)) /* looked at before, but so is a user's group */
        log_error("%s; the socket stays as it was", why);
    else if (control_grant(a->control, &rights, &reason) != RG_OK)
        log_error("control: the socket cannot be given to its group: %s; it stays as it was",
                  strerror(reason));
}

static void switch_finish(struct app *a)
{
    const char *old_socket = a->retired->site->control_socket;
    const char *new_socket = a->config->site->control_socket;

    pipeline_uplinks_free(&a->pipeline);
    config_keep(a, &a->diff);
    config_diff_free(&a->diff);
    if (pipeline_uplinks_start(&a->pipeline) != RG_OK)
        log_error(
            "reload: an uplink could not be made, it and those after it are missing until the next reload");
    a->return_until_ms = loop_mono_ms(a->loop) + RETURN_MS;
    if (!a->control || !old_socket || !new_socket || strcmp(old_socket, new_socket) != 0) {
        control_destroy(a->control);
        a->control = NULL;
        (void)control_open(a); /* logged there; the daemon's work goes on without it */
    } else {
        control_follow(a);
    }
    config_free(a->retired);
    a->retired = NULL;
    reload_next(a);
}

static void refuse(struct app *a, const char *why)
{
    event_config_refused(&a->pipeline, a->loaded, why, a->reload_by);
    config_free(a->loaded);
    a->loaded = NULL;
    reload_next(a);
}

static void take_cb(void *arg)
{
    struct app *a = arg;
    enum rg_err err = config_diff(a->config->site, a->loaded->site, &a->diff);

    if (err == RG_OK)
        err = pipeline_take(&a->pipeline, a->loaded->site, a->loaded->sha256, NULL);
    if (err != RG_OK) {
        config_diff_free(&a->diff);
        actuate_resume(&a->pipeline);
        refuse(a, rg_err_text(err));
        return;
    }
    a->retired = a->config;
    a->config = a->loaded;
    a->loaded = NULL;
    a->context.config_file = a->config->file;
    a->context.config_loaded_wall_ms = loop_wall_ms(a->loop);
    log_set_level(a->config->site->log_level);
    event_config_applied(&a->pipeline, a->config, &a->diff, a->reload_by);
    a->state = APP_SWITCHING;
    uplinks_leave(a, true, APP_RELOAD_UPLINK_MS);
}

static void yield(struct app *a)
{
    a->state = APP_YIELDING;
    actuate_release(&a->pipeline, a->loaded->site, APP_OUTPUT_MS, take_cb, a);
}

static void log_issues(const struct config *config)
{
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        log_write(issue->severity == CONFIG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s:%u:%u: %s",
                  issue->file, issue->line, issue->column, issue->text);
    }
}

static void load_done_cb(void *arg, const struct loop_worker_time *time)
{
    struct app *a = arg;
    struct control_rights rights;
    char why[256];

    (void)time;
    if (a->state != APP_LOADING) { /* a stop came first */
        config_free(a->loaded);
        a->loaded = NULL;
        return;
    }
    if (!a->loaded) {
        log_error("reload: out of memory; the configuration in force stays");
        reload_next(a);
        return;
    }
    log_issues(a->loaded);
    if (!a->loaded->site)
        refuse(a, "it has errors");
    else if (strcmp(a->loaded->site->store.path, a->config->site->store.path) != 0)
        refuse(a, "store.path cannot change while running; restart for that");
    else if (strcmp(a->loaded->site->gateway.id, a->config->site->gateway.id) != 0)
        refuse(a, "gateway.id cannot change while running; restart for that");
    else if (!door_rights(a->loaded->site, &rights, why, sizeof why))
        refuse(a, why);
    else
        yield(a);
}

void app_reload(struct app *a, const char *by)
{
    if (a->stop_wanted)
        return;
    if (a->state != APP_RUNNING) {
        (void)text_copy(a->reload_next_by, sizeof a->reload_next_by, by);
        return;
    }
    (void)text_copy(a->reload_by, sizeof a->reload_by, by);
    if (loop_worker_submit(a->loader) != RG_OK) {
        log_error("reload: cannot be started now; the configuration in force stays");
        return;
    }
    a->state = APP_LOADING;
}

/* ---- start ---- */

/* What was changed while nobody watched is told like any other change. */
static void tell_changes_since(struct app *a, const struct store_start *start)
{
    struct config_diff diff = {0};
    enum rg_err err = RG_OK;

    if (start->config)
        err = config_diff_text(start->config, start->config_length, a->config->site, &diff);
    if (err != RG_OK) {
        log_error("what was changed in the configuration since the last run cannot be told: %s",
                  rg_err_text(err));
        config_diff_free(&diff);
    }
    pipeline_forget(&a->pipeline, err == RG_OK ? &diff : NULL);
    if (diff.count > 0)
        event_config_applied(&a->pipeline, a->config, &diff, "start");
    if (diff.count > 0 || err != RG_OK || !start->config)
        config_keep(a, &diff);
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
    return err;
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
    err = loop_worker_create(loop, "config", load_run_cb, load_done_cb, a, &a->loader);
    if (err == RG_OK)
        err = loop_timer_create(loop, all_left_cb, a, &a->left);
    if (err == RG_OK)
        err = app_open(a, env);
    if (err == RG_OK)
        err = control_open(a);
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
    loop_worker_destroy(a->loader);
    loop_timer_destroy(a->left);
    err = pipeline_close(&a->pipeline);
    config_diff_free(&a->diff);
    config_free(a->loaded);
    config_free(a->retired);
    config_free(a->config);
    free(a);
    return err;
}
