/* Another configuration, taken whole or not at all while all else goes on: read and compared off the loop, taken on it. */
#include <stdlib.h>
#include <string.h>

#include "app/actuate.h"
#include "app/app_impl.h"
#include "app/event.h"
#include "app/metrics_file.h"
#include "app/uplinks.h"
#include "app/widen.h"
#include "base/log.h"
#include "base/memory.h"
#include "uplink/about.h"

#define RETURN_MS 2000 /* for the new uplinks to connect */
/* Of an answer: beyond it a peer that reads slowly would be closed (loop.h). */
#define ANSWER_CHANGES_BYTES ((size_t)2 << 20)

/* ---- outcomes ---- */

enum outcome { OUTCOME_APPLIED, OUTCOME_REFUSED, OUTCOME_UNCHANGED };

static void write_changes(struct jsonw *w, const struct config_diff *diff)
{
    size_t i = 0;

    jsonw_key(w, "changes");
    jsonw_array_begin(w);
    for (; diff && i < diff->count && w->length < ANSWER_CHANGES_BYTES; i++) {
        jsonw_object_begin(w);
        jsonw_key_string(w, "what", diff->changes[i].what);
        jsonw_key_string(w, "before", diff->changes[i].before);
        jsonw_key_string(w, "after", diff->changes[i].after);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    if (diff && i < diff->count)
        jsonw_key_int(w, "more", (int64_t)(diff->count - i));
}

/* To all who wait for this one. config: that was read; why: it was refused, or NULL. */
static void answer(struct app *a, enum outcome outcome, const struct config *config, const char *why)
{
    static const char *const words[] = {"applied", "refused", "unchanged"};
    char by[ASKED_BY_MAX];
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    jsonw_key_string(&w, "outcome", words[outcome]);
    jsonw_key_string(&w, "sha256", config ? config->sha256 : NULL);
    jsonw_key_string(&w, "by", asked_by(&a->asked, by));
    write_changes(&w, outcome == OUTCOME_APPLIED ? &a->reload.diff : NULL);
    jsonw_key(&w, "errors");
    event_config_errors(&w, outcome == OUTCOME_REFUSED ? config : NULL, a->context.config_file, why,
                        SIZE_MAX);
    jsonw_object_end(&w);
    asked_answer(&a->asked, &w);
    jsonw_free(&w);
}

void reload_give_up(struct app *a)
{
    static const char text[] = "the daemon is stopping";

    asked_answer_error(&a->asked_next, text);
    if (a->state != APP_LOADING)
        return;
    prime_cancel(a->reload.prime);
    asked_give_up(&a->asked, text);
}

/* ---- the way of one ---- */

enum rg_err reload_init(struct app *a)
{
    const struct site *site = a->config->site;

    jsonw_init(&a->reload.described, 0);
    a->stamps = calloc(site->uplink_count + 1, sizeof *a->stamps);
    if (!a->stamps)
        return RG_ENOMEM;
    uplinks_stamp(site, a->stamps);
    return RG_OK;
}

void reload_free(struct app *a)
{
    struct reload *r = &a->reload;

    prime_destroy(r->prime);
    r->prime = NULL;
    config_diff_free(&r->diff);
    jsonw_free(&r->described);
    free(r->kin);
    free(r->stamps);
    r->kin = NULL;
    r->stamps = NULL;
    config_free(r->config);
    r->config = NULL;
}

/* A renewed certificate is taken by connecting with it, and a new password shown to be good. */
static void compare_secrets(struct reload *r, const uint64_t *before)
{
    const struct site *next = r->config->site;

    uplinks_stamp(next, r->stamps);
    r->renewed = 0;
    for (size_t i = 0; i < next->uplink_count; i++) {
        if (r->kin[i] == SITE_NONE || r->stamps[i] == before[r->kin[i]])
            continue;
        r->kin[i] = SITE_NONE;
        r->renewed++;
    }
}

/* It is only made here to see whether it is another one; each uplink makes it when it sends it. */
static enum rg_err stamp_about(struct reload *r)
{
    struct jsonw about;
    enum rg_err err;

    jsonw_init(&about, 0);
    about_write(r->config->site, &about);
    err = jsonw_error(&about);
    r->about = err == RG_OK ? about_stamp(&about) : 0;
    jsonw_free(&about);
    return err;
}

static enum rg_err work_out(struct reload *r, const struct site *before, const uint64_t *stamps)
{
    const struct site *next = r->config->site;
    enum rg_err err = config_diff(before, next, &r->diff);

    if (err == RG_OK)
        err = config_describe(next, &r->described);
    if (err == RG_OK)
        err = stamp_about(r);
    r->kin = calloc(next->uplink_count + 1, sizeof *r->kin);
    r->stamps = calloc(next->uplink_count + 1, sizeof *r->stamps);
    if (err != RG_OK || !r->kin || !r->stamps)
        return err == RG_OK ? RG_ENOMEM : err;
    uplinks_compare(before, next, &r->diff, r->kin);
    compare_secrets(r, stamps);
    return RG_OK;
}

void reload_load_cb(void *arg)
{
    struct app *a = arg;
    struct reload *r = &a->reload;

    if (r->prime) { /* the second job of a reload, where windows want history */
        prime_run(r->prime);
        return;
    }
    asked_resolve(&a->asked);
    r->error = RG_OK;
    if (config_load(a->config->file, &r->config) != RG_OK)
        r->config = NULL;
    if (r->config && r->config->site)
        r->error = work_out(r, a->config->site, a->stamps);
    memory_give_back(); /* what the parser used */
}

static void reload_begin(struct app *a)
{
    if (loop_worker_submit(a->loader) == RG_OK) {
        supervise_reloading(a->supervise);
        a->state = APP_LOADING;
        return;
    }
    log_error("reload: cannot be started now; it waits for the next one"); /* never: the worker is free */
}

static void reload_next(struct app *a)
{
    a->state = APP_RUNNING;
    if (a->stop_wanted) {
        app_stop_now(a); /* which is what the manager was told last */
        return;
    }
    supervise_reloaded(a->supervise);
    if (asked_any(&a->asked_next)) {
        asked_move(&a->asked_next, &a->asked);
        reload_begin(a);
    }
}

void reload_keep(struct app *a, const struct config_diff *diff, struct jsonw *described)
{
    struct pipeline *p = &a->pipeline;
    enum rg_err err = widen_cursors(p->store, p->site, diff);
    struct jsonw own;

    jsonw_init(&own, 0);
    if (err == RG_OK && !described) {
        err = config_describe(p->site, &own);
        described = &own;
    }
    if (err == RG_OK)
        store_config_give(p->store, jsonw_take(described));
    jsonw_free(&own);
    if (err != RG_OK)
        log_error("the configuration in force cannot be kept (%s): the next start tells its changes again",
                  rg_err_text(err));
}

static bool control_moves(const struct site *old, const struct site *new)
{
    return !old->control_socket || !new->control_socket ||
           strcmp(old->control_socket, new->control_socket) != 0;
}

/* The same socket as before: who is connected stays, under the rights that are in force now. */
static void control_follow(struct app *a)
{
    struct control_rights rights;
    char why[256];
    int reason = 0;

    if (!a->control)
        return;
    if (!door_rights(a->config->site, &rights, why,
                     sizeof why)) /* looked at before, but so is a user's group */
        log_error("%s; the socket stays as it was", why);
    else if (control_grant(a->control, &rights, &reason) != RG_OK)
        log_error("control: the socket cannot be given to its group: %s; it stays as it was",
                  strerror(reason));
}

void reload_left(struct app *a)
{
    const bool moves = control_moves(a->retired->site, a->config->site);

    if (a->pipeline.leaving_count > 0)
        a->return_until_ms = loop_mono_ms(a->loop) + RETURN_MS;
    reload_keep(a, &a->reload.diff, &a->reload.described);
    if (uplinks_begin(&a->pipeline) != RG_OK)
        log_error("reload: out of memory; an uplink does without a document or without commands for now");
    if (!moves)
        control_follow(a);
    answer(a, OUTCOME_APPLIED, a->config, NULL); /* before the socket goes that it was asked for on */
    reload_free(a);
    if (moves) {
        control_destroy(a->control);
        a->control = a->control_next;
        a->control_next = NULL;
    }
    config_free(a->retired);
    a->retired = NULL;
    memory_give_back();
    reload_next(a);
}

static void refuse(struct app *a, const char *why)
{
    event_config_refused(&a->pipeline, a->reload.config, why, &a->asked);
    answer(a, OUTCOME_REFUSED, a->reload.config, why);
    reload_free(a);
    reload_next(a);
}

/* All that can fail, and then what cannot. */
static enum rg_err take(struct app *a, const char **why)
{
    struct pipeline *p = &a->pipeline;
    const struct config *next = a->reload.config;
    struct uplinks_plan *plan = NULL;
    enum rg_err err;

    *why = "the control socket cannot be made";
    if (control_moves(a->config->site, next->site)) {
        err = app_control_create(a, next->site, &a->control_next);
        if (err != RG_OK)
            return err;
    }
    err = uplinks_prepare(p, next->site, next->sha256, a->reload.kin, a->reload.about, &plan);
    if (err == RG_OK) {
        p->exchanging = true;
        err = pipeline_take_primed(p, next->site, next->sha256, NULL, a->reload.prime);
    }
    *why = rg_err_text(err);
    if (err != RG_OK) {
        p->exchanging = false;
        uplinks_plan_free(plan);
        control_destroy(a->control_next);
        a->control_next = NULL;
        return err;
    }
    uplinks_switch(p, plan);
    return RG_OK;
}

static void take_cb(void *arg)
{
    struct app *a = arg;
    struct pipeline *p = &a->pipeline;
    const char *why;

    if (take(a, &why) != RG_OK) {
        actuate_resume(p);
        refuse(a, why);
        return;
    }
    free(a->stamps);
    a->stamps = a->reload.stamps;
    a->reload.stamps = NULL;
    a->retired = a->config;
    a->config = a->reload.config;
    a->reload.config = NULL;
    a->context.config_file = a->config->file;
    a->context.config_loaded_wall_ms = loop_wall_ms(a->loop);
    log_set_level(a->config->site->log_level);
    metrics_file_follow(a->context.metrics);
    event_config_applied(p, a->config, &a->reload.diff, &a->asked);
    pipeline_publish_risk(p);
    a->state = APP_SWITCHING;
    app_uplinks_leave(a, p->leaving, p->leaving_count, true, APP_RELOAD_UPLINK_MS);
}

static void yield(struct app *a)
{
    a->state = APP_YIELDING;
    actuate_release(&a->pipeline, a->reload.config->site, APP_OUTPUT_MS, take_cb, a);
}

/* First, and off the loop, windows are filled that find nothing to go on with. */
static void look_back(struct app *a)
{
    struct reload *r = &a->reload;
    enum rg_err err = prime_create(&a->pipeline, r->config->site, &r->prime);

    if (err != RG_OK)
        refuse(a, rg_err_text(err));
    else if (!r->prime || loop_worker_submit(a->loader) != RG_OK)
        yield(a);
}

/* The very same files: there is nothing to exchange. That somebody asked is told all the same. */
static void stay(struct app *a)
{
    a->context.config_loaded_wall_ms = loop_wall_ms(a->loop);
    event_config_unchanged(&a->pipeline, a->config, &a->asked);
    answer(a, OUTCOME_UNCHANGED, a->config, NULL);
    reload_free(a);
    reload_next(a);
}

void app_log_issues(const struct config *config)
{
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        log_write(issue->severity == CONFIG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s:%u:%u: %s",
                  issue->file, issue->line, issue->column, issue->text);
    }
}

static void judge(struct app *a)
{
    const struct site *old = a->config->site, *new = a->reload.config->site;
    struct control_rights rights;
    char why[256];

    app_log_issues(a->reload.config);
    if (!new)
        refuse(a, "it has errors");
    else if (strcmp(new->store.path, old->store.path) != 0)
        refuse(a, "store.path cannot change while running; restart for that");
    else if (strcmp(new->gateway.id, old->gateway.id) != 0)
        refuse(a, "gateway.id cannot change while running; restart for that");
    else if (a->reload.error != RG_OK)
        refuse(a, rg_err_text(a->reload.error));
    else if (!door_rights(new, &rights, why, sizeof why))
        refuse(a, why);
    else if (a->reload.renewed == 0 && a->reload.diff.count == 0 &&
             strcmp(a->reload.config->sha256, a->config->sha256) == 0)
        stay(a);
    else
        look_back(a);
}

void reload_loaded_cb(void *arg, const struct loop_worker_time *time)
{
    struct app *a = arg;

    (void)time;
    if (a->state != APP_LOADING) { /* a stop came first */
        reload_free(a);
    } else if (a->reload.prime) {
        yield(a);
    } else if (!a->reload.config) {
        log_error("reload: out of memory; the configuration in force stays");
        answer(a, OUTCOME_REFUSED, NULL, "out of memory");
        reload_next(a);
    } else {
        judge(a);
    }
}

/* ---- who asks ---- */

void app_reload(struct app *a, const char *by)
{
    if (a->stop_wanted)
        return;
    if (a->state != APP_RUNNING) {
        asked_add(&a->asked_next, by);
        return;
    }
    asked_add(&a->asked, by);
    reload_begin(a);
}

enum rg_err reload_command(struct app *a, struct control_call *call, uint32_t uid, char *error,
                           size_t error_size)
{
    const bool running = a->state == APP_RUNNING;
    enum rg_err err;

    if (a->stop_wanted) {
        (void)text_copy(error, error_size, "the daemon is stopping");
        return RG_ESTATE;
    }
    err = asked_add_call(running ? &a->asked : &a->asked_next, uid, call);
    if (err == RG_OK && running)
        reload_begin(a);
    return err;
}
