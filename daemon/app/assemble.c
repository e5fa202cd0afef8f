/* Makes the parts of the pipeline, exchanges them, and takes them apart. What flows between them is in pipeline.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/actuate.h"
#include "app/flow.h"
#include "app/pipeline.h"
#include "app/prime.h"
#include "base/log.h"
#include "model/site_same.h"
#include "replay/meaning.h"

enum rg_err pipeline_open(struct pipeline *p, struct loop *loop, const struct pipeline_env *env,
                          const struct site *site, const char *config_sha256, struct store_start *start,
                          char *why, size_t why_size)
{
    enum rg_err err;

    memset(p, 0, sizeof *p);
    p->loop = loop;
    p->env = *env;
    p->started_ms = loop_mono_ms(loop);
    jsonw_init(&p->record, 0);
    jsonw_init(&p->event, 0);
    jsonw_init(&p->document, 0);
    self_test_init(p);
    err = store_open(loop, &site->store, &flow_store_cbs, p, &p->store, start, why, why_size);
    if (err != RG_OK)
        return err;
    store_watch_start(start);
    p->boot = start->boot;
    p->next_alarm = start->next_alarm;
    reports_init(p);
    (void)text_copy(why, why_size, rg_err_text(RG_ENOMEM));
    err = loop_timer_create(loop, flow_deadline_cb, p, &p->deadline);
    if (err == RG_OK)
        err = loop_timer_create(loop, flow_risk_cb, p, &p->risk);
    if (err == RG_OK)
        err = loop_timer_create(loop, flow_second_cb, p, &p->second);
    if (err == RG_OK)
        err = loop_timer_create(loop, actuate_timer_cb, p, &p->actuate);
    if (err == RG_OK)
        err = pipeline_take(p, site, config_sha256, start);
    if (err == RG_OK)
        err = request_desk_create(p, start, &p->desk);
    if (err == RG_OK)
        err = expiry_create(p, &p->expiry);
    if (err != RG_OK)
        (void)text_copy(why, why_size, rg_err_text(err));
    return err;
}

struct carry {
    struct rules *into;
    enum rg_err err;
};

static void carry_alarm_cb(void *arg, const struct alarm *alarm)
{
    struct carry *c = arg;
    enum rg_err err = rules_restore(c->into, alarm);

    /* Thousands of alarms of rules that are gone: those beyond the engine's room stay open in the store. */
    if (err == RG_EFULL)
        log_error("alarm %s of a rule that is not configured any more has no room and is not carried on",
                  alarm->id);
    else if (err != RG_OK && c->err == RG_OK)
        c->err = err;
}

static enum rg_err carry_alarms(const struct pipeline *p, struct rules *into, const struct store_start *start)
{
    struct carry c = {.into = into, .err = RG_OK};

    if (p->rules)
        rules_each(p->rules, carry_alarm_cb, &c);
    for (size_t i = 0; start && i < start->alarm_count; i++)
        carry_alarm_cb(&c, &start->alarms[i]);
    return c.err;
}

/* What retention may take in silence depends on who still waits for it, and a filter by device needs the devices' names. */
static enum rg_err configure_store(struct pipeline *p, const struct site *site)
{
    size_t most = site->uplink_count > site->device_count ? site->uplink_count : site->device_count;
    const char **names = calloc(most ? most : 1, sizeof *names);
    enum rg_err err;

    if (!names)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->uplink_count; i++)
        names[i] = site->uplinks[i].name;
    err = store_configure(p->store, &site->store, names, site->uplink_count);
    for (size_t i = 0; i < site->device_count; i++)
        names[i] = site->devices[i].name;
    if (err == RG_OK)
        err = store_devices(p->store, names, site->device_count);
    free(names);
    return err;
}

/* What the next poll, convert, rules and evidence are made of until they take the place of those in force. */
struct parts {
    struct poll *poll;
    struct convert *convert;
    struct rules *rules;
    struct outputs *outputs;
    struct evidence evidence;
    struct load load;
    struct recording recording;
    struct permits permits;
    uint32_t *was; /* [site.point_count] over a reload: which point in force means the same, or SITE_NONE */
};

static void parts_destroy(struct parts *n)
{
    poll_destroy(n->poll);
    evidence_destroy(&n->evidence);
    load_destroy(&n->load);
    recording_destroy(&n->recording);
    permits_destroy(&n->permits);
    outputs_destroy(n->outputs);
    rules_destroy(n->rules);
    convert_destroy(n->convert);
    free(n->was);
}

/* At the other end of a bus that is another one, though it has kept its name, nobody has said anything yet. */
static bool is_elsewhere(const struct pipeline *p, const struct site *site, const struct parts *n,
                         uint32_t point)
{
    const struct site_device *is = &site->devices[site->points[point].device];
    const struct site_device *was = &p->site->devices[p->site->points[n->was[point]].device];

    return !is->derived && poll_bus_id(n->poll, is->bus) != poll_bus_id(p->poll, was->bus);
}

static enum rg_err match_points(const struct pipeline *p, const struct site *site, struct parts *n)
{
    enum rg_err err = RG_ENOMEM;

    n->was = calloc(site->point_count + 1, sizeof *n->was);
    if (n->was)
        err = site_same_points(site, p->site, n->was);
    for (uint32_t i = 0; err == RG_OK && i < site->point_count; i++) {
        if (n->was[i] != SITE_NONE && is_elsewhere(p, site, n, i))
            n->was[i] = SITE_NONE;
    }
    return err;
}

/* prime: whose rules are ready, or NULL. */
static enum rg_err rules_made(struct pipeline *p, const struct site *site, struct prime *prime,
                              struct rules **out)
{
    if (!prime)
        return rules_create(site, p->next_alarm, flow_change_cb, p, out);
    *out = prime_rules(prime);
    rules_number(*out, p->next_alarm); /* others were raised meanwhile */
    return RG_OK;
}

static enum rg_err parts_create(struct pipeline *p, const struct site *site, const struct store_start *start,
                                struct prime *prime, struct parts *n)
{
    const struct output_port port = actuate_port(p);
    enum rg_err err = convert_create(site, &n->convert);

    if (err == RG_OK && p->convert)
        err = convert_inherit(n->convert, p->convert);
    if (err == RG_OK)
        err = rules_made(p, site, prime, &n->rules);
    if (err == RG_OK)
        rules_on_area(n->rules, flow_level_cb, p);
    if (err == RG_OK)
        err = outputs_create(site, &port, p->started_ms, p->env.seed, &n->outputs);
    if (err == RG_OK)
        err = evidence_create(&n->evidence, site);
    if (err == RG_OK)
        err = load_create(&n->load, site);
    if (err == RG_OK)
        err = recording_create(&n->recording, site);
    if (err == RG_OK)
        err = permits_create(&n->permits, site);
    if (err == RG_OK)
        err = p->poll ? poll_create_from(p->poll, site, p->env.seed, &n->poll)
                      : poll_create(p->loop, site, p->env.driver, &flow_poll_cbs, p, p->env.seed, &n->poll);
    if (err == RG_OK && p->poll)
        err = match_points(p, site, n);
    if (err == RG_OK)
        err = carry_alarms(p, n->rules, start);
    if (err != RG_OK)
        return err;
    err = configure_store(p, site);
    if (err != RG_OK && p->site)
        (void)configure_store(p, p->site); /* it fitted before; what fails now is kept as far as it goes */
    return err;
}

static void forgotten_cb(void *arg, const struct site_point *point)
{
    (void)arg;
    log_warning("%s: the windows of its rules begin empty, what was recorded before had another meaning",
                point->full_name);
}

void pipeline_forget(struct pipeline *p, const struct config_diff *changes)
{
    struct meaning *m;
    bool any = !changes;

    for (size_t i = 0; changes && i < changes->count; i++)
        any = any || meaning_key(changes->changes[i].what);
    if (!any)
        return;
    if (meaning_create(p->site, &m) != RG_OK) {
        log_error(
            "the windows of the rules begin empty: no memory to tell whose readings mean something else now");
        for (uint32_t i = 0; i < p->site->point_count; i++)
            (void)rules_forget(p->rules, i);
        return;
    }
    for (size_t i = 0; changes && i < changes->count; i++)
        meaning_note(m, changes->changes[i].what);
    if (!changes)
        meaning_note_all(m);
    (void)meaning_forget(m, p->rules, forgotten_cb, NULL);
    meaning_destroy(m);
}

/* What was in force goes, its successor takes its place; the rules of before and the permits are still needed. */
static void exchange(struct pipeline *p, const struct site *site, const char *config_sha256,
                     struct parts *next)
{
    recording_inherit(p, &next->recording); /* with the site of before: it may still record */
    if (p->poll) {
        evidence_inherit(&next->evidence, &p->evidence, next->was);
        load_inherit(&next->load, next->poll, &p->load, p->poll);
        poll_take(next->poll);
    } else {
        poll_booted(next->poll, p->started_ms);
    }
    p->site = site;
    p->poll = next->poll;
    if (p->outputs) /* what is under way for them is in the poll's hands */
        outputs_inherit(next->outputs, p->outputs, pipeline_now(p));
    outputs_destroy(p->outputs);
    evidence_destroy(&p->evidence);
    load_destroy(&p->load);
    recording_destroy(&p->recording);
    convert_destroy(p->convert);
    free(next->was);
    p->convert = next->convert;
    p->rules = next->rules;
    p->outputs = next->outputs;
    p->evidence = next->evidence;
    p->load = next->load;
    p->recording = next->recording;
    (void)text_copy(p->config_sha256, sizeof p->config_sha256, config_sha256);
}

enum rg_err pipeline_take(struct pipeline *p, const struct site *site, const char *config_sha256,
                          const struct store_start *start)
{
    return pipeline_take_primed(p, site, config_sha256, start, NULL);
}

enum rg_err pipeline_take_primed(struct pipeline *p, const struct site *site, const char *config_sha256,
                                 const struct store_start *start, struct prime *prime)
{
    struct parts next = {0};
    const struct site *before = p->site;
    struct rules *old = p->rules;
    struct moment now;
    int64_t filling_ms = 0;
    enum rg_err err;

    if (p->rules)
        rules_tick(p->rules, pipeline_now(p)); /* what is due by now is still decided by the old rules */
    else
        clock_watch_start(&p->clock, pipeline_now(p), loop_clock_synced(p->loop));
    err = parts_create(p, site, start, prime, &next);
    if (err != RG_OK) {
        parts_destroy(&next);
        return err;
    }
    expiry_halt(p->expiry);
    exchange(p, site, config_sha256, &next);
    /* A reload that changes a window would leave it blind for most of its length. */
    if (start || prime || (old && rules_lacks_history(p->rules, old)))
        now = prime_fill(p, p->rules, prime, &filling_ms);
    else
        now = pipeline_now(p);
    p->taken.at = now;
    p->taken.turn = store_turn(p->store);
    if (old) {
        rules_levels_from(p->rules, old);
        permits_inherit(&next.permits, site, p->rules, &p->permits, before, old, now);
    } else if (start) {
        permits_restore(&next.permits, site, p->rules, start, now);
    }
    permits_destroy(&p->permits);
    p->permits = next.permits;
    reports_duties(p);
    rules_start(p->rules, now);
    rules_unasked(p->rules, filling_ms);
    if (old)
        rules_inherit(p->rules, old);
    rules_destroy(old);
    recording_standing(p);
    flow_schedule_deadline(p);
    p->second_ms = now.mono_ms;
    p->settled_ms = now.mono_ms + PIPELINE_SETTLED_MS;
    if (!old) /* else it is running */
        loop_timer_at(p->second, now.mono_ms + FLOW_SECOND_MS);
    poll_start(p->poll);
    request_desk_reloaded(p->desk);
    actuate_carry_faults(p);
    p->levels_changed = true;
    actuate_run(p);
    return RG_OK;
}

void pipeline_halt(struct pipeline *p)
{
    if (p->deadline)
        loop_timer_stop(p->deadline);
    if (p->second)
        loop_timer_stop(p->second);
    if (p->actuate)
        loop_timer_stop(p->actuate);
    outputs_halt(p->outputs);
    request_desk_halt(p->desk);
    expiry_halt(p->expiry);
    poll_destroy(p->poll);
    p->poll = NULL;
    flow_risk_cb(p);
}

enum rg_err pipeline_close(struct pipeline *p)
{
    enum rg_err err;

    pipeline_halt(p);
    pipeline_uplinks_free(p);
    err = store_close(p->store);
    p->store = NULL;
    request_desk_destroy(p->desk);
    expiry_destroy(p->expiry);
    p->expiry = NULL;
    p->desk = NULL;
    rules_destroy(p->rules);
    p->rules = NULL;
    convert_destroy(p->convert);
    p->convert = NULL;
    outputs_destroy(p->outputs);
    p->outputs = NULL;
    evidence_destroy(&p->evidence);
    load_destroy(&p->load);
    recording_destroy(&p->recording);
    permits_destroy(&p->permits);
    loop_timer_destroy(p->deadline);
    loop_timer_destroy(p->risk);
    loop_timer_destroy(p->second);
    loop_timer_destroy(p->actuate);
    p->deadline = p->risk = p->second = p->actuate = NULL;
    self_test_free(p);
    say_destroy(&p->say);
    jsonw_free(&p->record);
    jsonw_free(&p->event);
    jsonw_free(&p->document);
    return err;
}
