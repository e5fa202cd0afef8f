#include "app/uplinks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/document.h"
#include "app/flow.h"
#include "app/widen.h"
#include "base/log.h"

/* ---- which are the same ---- */

/* That a device is told of by every uplink, or not any more, comes with the device. */
static bool comes_with_device(const struct config_diff *diff, const char *device)
{
    char what[3 * TEXT_ID_MAX];
    const struct config_change *c;

    if (!text_format(what, sizeof what, "device.%s.bus", device))
        return false;
    c = config_diff_find(diff, what);
    return c && (!c->before || !c->after);
}

/* Any change below its name, so that no key to come is forgotten. (What has a name that begins like this one is taken for it, and only
 * connects anew in vain.) */
static bool changed(const struct config_diff *diff, const struct site_uplink *u)
{
    static const char devices[] = "telemetry.devices.";
    char prefix[TEXT_ID_MAX + 16];
    size_t length;

    (void)text_format(prefix, sizeof prefix, "uplink.%s.", u->name);
    length = strlen(prefix);
    for (size_t i = 0; i < diff->count; i++) {
        const char *what = diff->changes[i].what;

        if (strncmp(what, prefix, length) != 0)
            continue;
        if (strncmp(what + length, devices, sizeof devices - 1) != 0 ||
            !comes_with_device(diff, what + length + sizeof devices - 1))
            return true;
    }
    return false;
}

void uplinks_compare(const struct site *before, const struct site *next, const struct config_diff *diff,
                     uint32_t *kin)
{
    const bool same_company = strcmp(before->gateway.ent_code, next->gateway.ent_code) == 0;

    for (size_t i = 0; i < next->uplink_count; i++) {
        const struct site_uplink *u = &next->uplinks[i];
        bool grown[STREAM_COUNT];

        kin[i] = SITE_NONE;
        widen_streams(next, u, diff, grown);
        if (!same_company || changed(diff, u) || grown[STREAM_ALARM] || grown[STREAM_TELEMETRY])
            continue;
        for (uint32_t k = 0; k < before->uplink_count; k++) {
            if (strcmp(before->uplinks[k].name, u->name) == 0)
                kin[i] = k;
        }
    }
}

/* ---- secrets ---- */

static uint64_t mix(uint64_t stamp, int64_t value)
{
    /* FNV-1a, a word at a time: it only has to differ. */
    return (stamp ^ (uint64_t)value) * UINT64_C(1099511628211);
}

static uint64_t stamp_file(uint64_t stamp, const char *path)
{
    struct stat file;

    if (!path || stat(path, &file) != 0)
        return mix(stamp, path ? 1 : 0);
    stamp = mix(mix(stamp, (int64_t)file.st_dev), (int64_t)file.st_ino);
    stamp = mix(mix(stamp, (int64_t)file.st_size), (int64_t)file.st_mtim.tv_sec);
    return mix(stamp, (int64_t)file.st_mtim.tv_nsec);
}

void uplinks_stamp(const struct site *site, uint64_t *stamps)
{
    for (size_t i = 0; i < site->uplink_count; i++) {
        const struct site_uplink *u = &site->uplinks[i];

        stamps[i] = UINT64_C(14695981039346656037);
        stamps[i] = stamp_file(stamp_file(stamps[i], u->ca), u->cert);
        stamps[i] = stamp_file(stamp_file(stamps[i], u->key), u->password_file);
    }
}

/* ---- all that can fail ---- */

struct planned {
    struct uplink *made; /* or NULL: kept is of before */
    struct uplink *kept;
    char *state, *will;
    size_t state_length, will_length;
};

struct uplinks_plan {
    const struct site *site;
    struct uplink **uplinks, **next, **leaving; /* the pipeline's of then */
    struct planned *planned;                    /* [site->uplink_count] */
    uint64_t about;                             /* stamp, 0: not known */
};

void uplinks_plan_free(struct uplinks_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; plan->planned && i < plan->site->uplink_count; i++) {
        uplink_destroy(plan->planned[i].made);
        free(plan->planned[i].state);
        free(plan->planned[i].will);
    }
    free(plan->planned);
    free(plan->uplinks);
    free(plan->next);
    free(plan->leaving);
    free(plan);
}

static char *copy(const struct jsonw *w, size_t *length)
{
    char *text = jsonw_error(w) == RG_OK ? malloc(w->length) : NULL;

    if (text)
        memcpy(text, w->text, w->length);
    *length = w->length;
    return text;
}

static char *copy_state(struct pipeline *p, const struct site *site, const char *config_sha256, bool online,
                        size_t *length)
{
    struct document_state state = {
        .online = online,
        .ts = loop_wall_ms(p->loop),
        .boot = p->boot,
        .version = p->env.version,
        .config = config_sha256,
        .unsynced = !loop_clock_synced(p->loop),
    };

    document_state(&p->document, site, &state);
    return copy(&p->document, length);
}

/* The cursors are those of the store once it begins: until then its forerunner may move them. */
static enum rg_err make(struct pipeline *p, const struct site *site, size_t index, struct uplink **out)
{
    static const struct cursor nowhere[STREAM_COUNT];
    static const int64_t nothing[STREAM_COUNT];
    const struct uplink_port port = flow_uplink_port(p);

    return uplink_create(p->loop, site, &site->uplinks[index], p->env.transport, &port, nowhere, nothing,
                         p->env.seed + index, out);
}

static struct uplink *at_work(const struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->uplink_count; i++) {
        if (p->uplinks[i] && strcmp(uplink_conf(p->uplinks[i])->name, name) == 0)
            return p->uplinks[i];
    }
    return NULL;
}

static enum rg_err plan_one(struct pipeline *p, const struct site *next, const char *config_sha256,
                            size_t index, bool keep, struct planned *one)
{
    if (keep)
        one->kept = at_work(p, next->uplinks[index].name);
    if (!one->kept) {
        enum rg_err err = make(p, next, index, &one->made);

        if (err != RG_OK)
            return err;
    }
    one->state = copy_state(p, next, config_sha256, true, &one->state_length);
    one->will = copy_state(p, next, config_sha256, false, &one->will_length);
    return one->state && one->will ? RG_OK : RG_ENOMEM;
}

static bool plan_create(const struct pipeline *p, const struct site *next, struct uplinks_plan **out)
{
    const size_t count = next->uplink_count + 1; /* never none: calloc may then say NULL */
    struct uplinks_plan *plan = calloc(1, sizeof *plan);

    *out = plan;
    if (!plan)
        return false;
    plan->site = next;
    plan->uplinks = calloc(count, sizeof(struct uplink *));
    plan->next = calloc(count, sizeof(struct uplink *));
    plan->leaving = calloc(p->uplink_count + 1, sizeof(struct uplink *));
    plan->planned = calloc(count, sizeof *plan->planned);
    return plan->uplinks && plan->next && plan->leaving && plan->planned;
}

enum rg_err uplinks_prepare(struct pipeline *p, const struct site *next, const char *config_sha256,
                            const uint32_t *kin, uint64_t about, struct uplinks_plan **out)
{
    struct uplinks_plan *plan = NULL;
    enum rg_err err = plan_create(p, next, &plan) ? RG_OK : RG_ENOMEM;

    if (err == RG_OK)
        plan->about = about;
    for (size_t i = 0; i < next->uplink_count && err == RG_OK; i++)
        err = plan_one(p, next, config_sha256, i, kin && kin[i] != SITE_NONE, &plan->planned[i]);
    if (err != RG_OK) {
        uplinks_plan_free(plan);
        plan = NULL;
    }
    *out = plan;
    return err;
}

/* ---- nothing that can fail ---- */

static void give(struct uplink *u, struct planned *one, uint64_t about)
{
    uplink_give_will(u, one->will, one->will_length);
    uplink_give_doc(u, UPLINK_DOC_STATE, one->state, one->state_length);
    uplink_about(u, about);
    one->will = one->state = NULL;
}

static bool goes_on(const struct uplinks_plan *plan, const struct uplink *u)
{
    for (size_t i = 0; i < plan->site->uplink_count; i++) {
        if (plan->planned[i].kept == u)
            return true;
    }
    return false;
}

/* A test that is under way goes on where all its uplinks do. */
static bool all_go_on(const struct pipeline *p, const struct uplinks_plan *plan)
{
    const struct site *site = plan->site;

    if (!p->uplinks || p->uplink_count != site->uplink_count)
        return false;
    for (size_t i = 0; i < site->uplink_count; i++) {
        if (plan->planned[i].kept != p->uplinks[i])
            return false;
    }
    return self_test_same(p, site);
}

void uplinks_switch(struct pipeline *p, struct uplinks_plan *plan)
{
    const struct site *site = plan->site;

    p->self_test_goes_on = all_go_on(p, plan);
    if (!p->self_test_goes_on)
        self_test_drop(p);
    for (size_t i = 0; p->uplinks && i < p->uplink_count; i++) {
        if (p->uplinks[i] && !goes_on(plan, p->uplinks[i]))
            plan->leaving[p->leaving_count++] = p->uplinks[i];
    }
    free(p->uplinks);
    free(p->uplinks_next);
    free(p->leaving);
    p->uplinks = plan->uplinks;
    p->uplinks_next = plan->next;
    p->leaving = plan->leaving;
    p->uplink_count = site->uplink_count;
    plan->uplinks = plan->next = plan->leaving = NULL;
    for (size_t i = 0; i < site->uplink_count; i++) {
        struct planned *one = &plan->planned[i];

        p->uplinks[i] = one->kept;
        p->uplinks_next[i] = one->made;
        one->made = NULL;
        if (one->kept)
            uplink_follow(one->kept, site, &site->uplinks[i]);
    }
    p->exchanging = false;
    /* Only now: giving one a document makes it work, and all of them are to see the new site then. */
    for (size_t i = 0; i < site->uplink_count; i++)
        give(p->uplinks[i] ? p->uplinks[i] : p->uplinks_next[i], &plan->planned[i], plan->about);
    uplinks_plan_free(plan);
}

/* ---- the new ones begin ---- */

/* A stream that an uplink does not get is never owed to it (acked is INT64_MAX in the store, so that retention reports no loss);
 * one that it gets again is owed all that is there, as by a new one: `prev` leads there. */
static enum rg_err uplink_cursors(struct pipeline *p, const struct site_uplink *conf,
                                  struct cursor cursors[STREAM_COUNT])
{
    struct cursor *telemetry = &cursors[STREAM_TELEMETRY];
    struct cursor fresh[STREAM_COUNT];
    bool owed;

    store_cursor_get(p->store, conf->name, cursors);
    owed = telemetry->acked != INT64_MAX;
    if (owed == conf->telemetry_send)
        return RG_OK;
    store_cursor_new(p->store, fresh);
    *telemetry = conf->telemetry_send ? fresh[STREAM_TELEMETRY] : (struct cursor){.acked = INT64_MAX};
    return store_cursor_put(p->store, conf->name, STREAM_TELEMETRY, telemetry);
}

/* Whatever happens it begins: what could not be done is told, and a platform that hears of alarms counts for more. */
static enum rg_err begin_one(struct pipeline *p, struct uplink *u)
{
    struct cursor cursors[STREAM_COUNT];
    struct store_stats stats;
    enum rg_err err = uplink_cursors(p, uplink_conf(u), cursors), started;

    store_stats(p->store, &stats);
    uplink_resume(u, cursors, stats.head);
    document_risk(&p->document, p->site, p->rules, loop_wall_ms(p->loop), !loop_clock_synced(p->loop));
    if (err == RG_OK)
        err = jsonw_error(&p->document);
    if (err == RG_OK)
        err = uplink_doc(u, UPLINK_DOC_RISK, p->document.text, p->document.length);
    started = uplink_start(u, NULL, 0);
    return err == RG_OK ? started : err;
}

static void free_all(struct uplink **uplinks, size_t count)
{
    for (size_t i = 0; uplinks && i < count; i++) {
        uplink_destroy(uplinks[i]);
        uplinks[i] = NULL;
    }
}

enum rg_err uplinks_begin(struct pipeline *p)
{
    enum rg_err err = RG_OK, one;
    bool any = false;

    free_all(p->leaving, p->leaving_count);
    p->leaving_count = 0;
    for (size_t i = 0; i < p->uplink_count; i++) {
        if (!p->uplinks_next[i])
            continue;
        any = true;
        p->uplinks[i] = p->uplinks_next[i];
        p->uplinks_next[i] = NULL;
        one = begin_one(p, p->uplinks[i]);
        err = err == RG_OK ? one : err;
    }
    if (any)
        store_unstored_again(p->store); /* those before may not have come to tell of it */
    one = request_desk_uplinks(p->desk);
    err = err == RG_OK ? one : err;
    one = expiry_follow(p->expiry);
    err = err == RG_OK ? one : err;
    if (!p->self_test_goes_on)
        self_test_uplinks(p);
    return err;
}

/* ---- all of them ---- */

enum rg_err pipeline_uplinks_start(struct pipeline *p)
{
    struct uplinks_plan *plan;
    enum rg_err err = uplinks_prepare(p, p->site, p->config_sha256, NULL, 0, &plan);

    if (err != RG_OK)
        return err;
    uplinks_switch(p, plan);
    return uplinks_begin(p);
}

void pipeline_uplinks_free(struct pipeline *p)
{
    self_test_drop(p);
    free_all(p->leaving, p->leaving_count);
    free_all(p->uplinks_next, p->uplink_count);
    free_all(p->uplinks, p->uplink_count);
    free(p->leaving);
    free(p->uplinks_next);
    free(p->uplinks);
    p->leaving = p->uplinks_next = p->uplinks = NULL;
    p->leaving_count = p->uplink_count = 0;
}

struct uplink *uplinks_named(const struct pipeline *p, const char *name)
{
    return at_work(p, name);
}
