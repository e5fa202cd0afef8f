#include "app/expiry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/expiry_stage.h"
#include "app/pipeline.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "record/record.h"

/* One file of one uplink. */
struct item {
    char uplink[TEXT_ID_MAX + 1];
    char *file;
    bool watched; /* first is there */
    struct certificate first;
    char error[CERTIFICATE_WORDS]; /* why it cannot be read; else empty */
    struct expiry_told told;
};

/* What the worker reads; the loop keeps its hands off it meanwhile. */
struct look {
    char *file;
    bool good, watched;
    struct certificate first;
    char error[CERTIFICATE_WORDS];
};

struct expiry {
    struct pipeline *pipeline;
    struct loop_worker *worker;
    struct loop_timer *timer;
    struct item *items;
    size_t item_count;
    struct look *looks;
    size_t look_count;
    bool halted;
    bool again;          /* other files are to be read than those that are */
    int64_t read_due_ms; /* monotonic */
};

/* ---- on the worker's thread ---- */

static void read_one(struct look *l)
{
    struct certificate *list = NULL;
    size_t count = 0;

    l->good = certificate_load(l->file, &list, &count, l->error) == RG_OK;
    l->watched = l->good && count <= EXPIRY_AUTHORITIES;
    if (l->watched)
        l->first = *certificate_first_to_end(list, count);
    free(list);
}

static void run_cb(void *arg)
{
    struct expiry *e = arg;

    for (size_t i = 0; i < e->look_count; i++)
        read_one(&e->looks[i]);
}

/* ---- what is told ---- */

static void tell(struct expiry *e, const struct item *item, int64_t now_ms, bool synced)
{
    struct pipeline *p = e->pipeline;
    const int64_t days = expiry_days(item->first.ends_ms, now_ms);
    const struct log_about about = {.uplink = item->uplink};
    const char *doubt = synced ? "" : ", if the clock is right, which is not synchronised";

    if (item->told.stage == EXPIRY_ENDED && synced)
        log_tell(LOG_LEVEL_ERROR, &about, "uplink %s: the certificate `%s` (%s) has expired", item->uplink,
                 item->file, item->first.subject);
    else if (item->told.stage == EXPIRY_ENDED)
        log_tell(LOG_LEVEL_WARNING, &about, "uplink %s: the certificate `%s` (%s) has expired%s",
                 item->uplink, item->file, item->first.subject, doubt);
    else
        log_tell(LOG_LEVEL_WARNING, &about, "uplink %s: the certificate `%s` (%s) ends in %" PRId64 " days%s",
                 item->uplink, item->file, item->first.subject, days, doubt);
    record_begin(&p->event, now_ms);
    jsonw_key_string(&p->event, "kind", "uplink");
    jsonw_key_string(&p->event, "uplink", item->uplink);
    jsonw_key_string(&p->event, "state", "certificate");
    jsonw_key_string(&p->event, "file", item->file);
    jsonw_key_string(&p->event, "subject", item->first.subject);
    jsonw_key_int(&p->event, "expires", item->first.ends_ms);
    jsonw_key_int(&p->event, "days", days);
    pipeline_append_event(p, "uplink", now_ms);
}

static void judge(struct expiry *e)
{
    const int64_t now_ms = loop_wall_ms(e->pipeline->loop);
    const bool synced = loop_clock_synced(e->pipeline->loop);

    for (size_t i = 0; i < e->item_count && !e->halted; i++) {
        struct item *item = &e->items[i];

        if (item->watched && expiry_told_step(&item->told, item->first.ends_ms, now_ms, synced))
            tell(e, item, now_ms, synced);
    }
}

/* ---- reading, off the loop ---- */

static void free_looks(struct expiry *e)
{
    for (size_t i = 0; i < e->look_count; i++)
        free(e->looks[i].file);
    free(e->looks);
    e->looks = NULL;
    e->look_count = 0;
}

static enum rg_err begin_reading(struct expiry *e)
{
    if (loop_worker_busy(e->worker)) {
        e->again = true;
        return RG_OK;
    }
    e->again = false;
    e->read_due_ms = loop_mono_ms(e->pipeline->loop) + EXPIRY_READ_MS;
    free_looks(e);
    if (e->item_count == 0)
        return RG_OK;
    e->looks = calloc(e->item_count, sizeof *e->looks);
    if (!e->looks)
        return RG_ENOMEM;
    for (; e->look_count < e->item_count; e->look_count++) {
        struct look *l = &e->looks[e->look_count];

        l->file = strdup(e->items[e->look_count].file);
        if (!l->file)
            return RG_ENOMEM;
    }
    return loop_worker_submit(e->worker);
}

static void take_look(struct item *item, const struct look *l)
{
    const struct log_about about = {.uplink = item->uplink};

    if (!l->good && strcmp(item->error, l->error) != 0)
        log_tell(LOG_LEVEL_WARNING, &about, "uplink %s: %s", item->uplink, l->error);
    (void)text_copy(item->error, sizeof item->error, l->good ? "" : l->error);
    if (!l->good)
        return; /* what was known of it still holds */
    if (item->watched && l->watched && item->told.stage > EXPIRY_FAR &&
        l->first.ends_ms > item->first.ends_ms)
        log_tell(LOG_LEVEL_INFO, &about, "uplink %s: the certificate `%s` was renewed", item->uplink,
                 item->file);
    item->watched = l->watched;
    item->first = l->first;
}

static void done_cb(void *arg, const struct loop_worker_time *time)
{
    struct expiry *e = arg;

    (void)time;
    if (e->again) {
        if (begin_reading(e) != RG_OK)
            log_error("the uplinks' certificates cannot be looked at: %s", rg_err_text(RG_ENOMEM));
        return;
    }
    for (size_t i = 0; i < e->look_count && i < e->item_count; i++)
        take_look(&e->items[i], &e->looks[i]);
    judge(e);
}

static void timer_cb(void *arg)
{
    struct expiry *e = arg;
    const int64_t now_ms = loop_mono_ms(e->pipeline->loop);

    judge(e);
    if (now_ms >= e->read_due_ms && begin_reading(e) != RG_OK)
        log_error("the uplinks' certificates cannot be looked at: %s", rg_err_text(RG_ENOMEM));
    loop_timer_at(e->timer, now_ms + EXPIRY_JUDGE_MS);
}

/* ---- life ---- */

enum rg_err expiry_create(struct pipeline *p, struct expiry **out)
{
    struct expiry *e = calloc(1, sizeof *e);
    enum rg_err err;

    *out = NULL;
    if (!e)
        return RG_ENOMEM;
    e->pipeline = p;
    err = loop_worker_create(p->loop, "certificates", run_cb, done_cb, e, &e->worker);
    if (err == RG_OK)
        err = loop_timer_create(p->loop, timer_cb, e, &e->timer);
    if (err != RG_OK) {
        expiry_destroy(e);
        return err;
    }
    *out = e;
    return RG_OK;
}

static void free_items(struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].file);
    free(items);
}

void expiry_destroy(struct expiry *e)
{
    if (!e)
        return;
    loop_worker_destroy(e->worker);
    loop_timer_destroy(e->timer);
    free_looks(e);
    free_items(e->items, e->item_count);
    free(e);
}

void expiry_halt(struct expiry *e)
{
    if (!e)
        return;
    e->halted = true;
    loop_timer_stop(e->timer);
}

/* ---- which files ---- */

static enum rg_err add_item(struct expiry *e, struct item *items, size_t *count, const char *uplink,
                            const char *file)
{
    struct item *item = &items[*count];

    if (!file)
        return RG_OK;
    for (size_t i = 0; i < e->item_count; i++) {
        if (strcmp(e->items[i].file, file) == 0 && strcmp(e->items[i].uplink, uplink) == 0)
            *item = e->items[i];
    }
    (void)text_copy(item->uplink, sizeof item->uplink, uplink);
    item->file = strdup(file);
    if (!item->file)
        return RG_ENOMEM;
    (*count)++;
    return RG_OK;
}

enum rg_err expiry_follow(struct expiry *e)
{
    const struct site *site = e->pipeline->site;
    struct item *items = calloc(2 * site->uplink_count + 1, sizeof *items);
    size_t count = 0;
    enum rg_err err = items ? RG_OK : RG_ENOMEM;

    for (size_t i = 0; i < site->uplink_count && err == RG_OK; i++) {
        const struct site_uplink *u = &site->uplinks[i];

        if (!u->tls)
            continue;
        err = add_item(e, items, &count, u->name, u->cert);
        if (err == RG_OK)
            err = add_item(e, items, &count, u->name, u->ca);
    }
    if (err != RG_OK) {
        free_items(items, count);
        return err;
    }
    free_items(e->items, e->item_count);
    e->items = items;
    e->item_count = count;
    e->halted = false;
    if (count == 0)
        loop_timer_stop(e->timer);
    else
        loop_timer_at(e->timer, loop_mono_ms(e->pipeline->loop) + EXPIRY_JUDGE_MS);
    return begin_reading(e);
}

/* ---- status ---- */

/* What is wrong comes before what will be. */
static const struct item *foremost(const struct expiry *e, const char *uplink)
{
    const struct item *best = NULL;

    for (size_t i = 0; i < e->item_count; i++) {
        const struct item *item = &e->items[i];

        if (strcmp(item->uplink, uplink) != 0 || !(item->watched || item->error[0]))
            continue;
        if (!best || (item->error[0] && !best->error[0]) ||
            (!best->error[0] && item->first.ends_ms < best->first.ends_ms))
            best = item;
    }
    return best;
}

void expiry_write(const struct expiry *e, const char *uplink, struct jsonw *w)
{
    const struct item *item = foremost(e, uplink);

    jsonw_key(w, "certificate");
    if (!item) {
        jsonw_null(w);
        return;
    }
    jsonw_object_begin(w);
    jsonw_key_string(w, "file", item->file);
    if (item->watched) {
        jsonw_key_string(w, "subject", item->first.subject);
        jsonw_key_int(w, "expires", item->first.ends_ms);
        jsonw_key_int(w, "days", expiry_days(item->first.ends_ms, loop_wall_ms(e->pipeline->loop)));
        if (!loop_clock_synced(e->pipeline->loop))
            jsonw_key_string(w, "clock", "unsynced");
    }
    if (item->error[0])
        jsonw_key_string(w, "error", item->error);
    jsonw_object_end(w);
}
