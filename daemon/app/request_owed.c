#include "app/request_owed.h"

#include <stdlib.h>
#include <string.h>

#include "app/pipeline.h"
#include "app/uplinks.h"
#include "base/log.h"
#include "base/text.h"

struct owed {
    struct owed *next;
    char uplink[TEXT_ID_MAX + 1];
    char *response_topic; /* or NULL */
    char *correlation;    /* or NULL */
    size_t correlation_length;
    char *text; /* NULL: not known yet */
    size_t length;
    uint64_t serial; /* 0: it waits for no record */
};

void owed_init(struct owed_list *l, struct pipeline *p)
{
    *l = (struct owed_list){.p = p};
}

static void free_one(struct owed *o)
{
    free(o->response_topic);
    free(o->correlation);
    free(o->text);
    free(o);
}

void owed_free(struct owed_list *l)
{
    while (l->first) {
        struct owed *next = l->first->next;

        free_one(l->first);
        l->first = next;
    }
    l->last = NULL;
}

size_t owed_count(const struct owed_list *l, const char *uplink)
{
    size_t count = 0;

    for (const struct owed *o = l->first; o; o = o->next)
        count += strcmp(o->uplink, uplink) == 0 ? 1 : 0;
    return count;
}

struct owed *owed_add(struct owed_list *l, const char *uplink, const char *response_topic,
                      const void *correlation, size_t correlation_length)
{
    struct owed *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    (void)text_copy(o->uplink, sizeof o->uplink, uplink);
    o->response_topic = response_topic ? strdup(response_topic) : NULL;
    o->correlation = correlation ? malloc(correlation_length + 1) : NULL;
    if ((response_topic && !o->response_topic) || (correlation && !o->correlation)) {
        free_one(o);
        return NULL;
    }
    if (correlation)
        memcpy(o->correlation, correlation, correlation_length);
    o->correlation_length = correlation ? correlation_length : 0;
    if (l->last)
        l->last->next = o;
    else
        l->first = o;
    l->last = o;
    return o;
}

/* ---- until it is durable ---- */

static void flushed_cb(void *arg, bool ok)
{
    struct owed_list *l = arg;
    uint64_t upto;

    if (l->asking) { /* refused at once, not the oldest of those that wait */
        l->flush_count--;
        return;
    }
    upto = l->flushes[0];
    l->flush_count--;
    memmove(&l->flushes[0], &l->flushes[1], l->flush_count * sizeof l->flushes[0]);
    if (!ok)
        return; /* the records are still tried, and so is this */
    l->durable = upto;
    (void)owed_send(l);
}

static void flush(struct owed_list *l)
{
    if (!l->p->store || l->durable == l->serial || l->flush_count == OWED_FLUSHES ||
        (l->flush_count > 0 && l->flushes[l->flush_count - 1] == l->serial))
        return;
    l->flushes[l->flush_count++] = l->serial;
    l->asking = true;
    store_flush(l->p->store, flushed_cb, l);
    l->asking = false;
}

/* ---- until it is sent ---- */

enum sent {
    SENT_DONE, /* taken, or nobody will ever take it */
    SENT_LATER,
};

static bool has_uplink(const struct site *site, const char *name)
{
    for (size_t i = 0; i < site->uplink_count; i++) {
        if (strcmp(site->uplinks[i].name, name) == 0)
            return true;
    }
    return false;
}

static enum sent send_one(struct owed_list *l, const struct owed *o)
{
    struct uplink *u = uplinks_named(l->p, o->uplink);
    struct uplink_stats stats;
    enum rg_err err;

    if (!u && has_uplink(l->p->site, o->uplink))
        return SENT_LATER; /* it changed, and begins anew */
    if (!u) {
        /* Its uplink is no more: what a reload takes away takes its answers along. */
        log_warning("uplink %s is not there any more: an answer to a command of its platform is not sent",
                    o->uplink);
        l->lost++;
        return SENT_DONE;
    }
    uplink_stats(u, &stats);
    if (!stats.connected || stats.replies_waiting == UPLINK_REPLIES)
        return SENT_LATER;
    err = uplink_reply(u, o->response_topic, o->correlation, o->correlation_length, o->text, o->length);
    if (err != RG_OK && err != RG_ERANGE && err != RG_EINVAL)
        return SENT_LATER;
    l->lost += err == RG_OK ? 0 : 1;
    return SENT_DONE;
}

/* Whether one before it, of the same uplink, is still to go. */
static bool is_behind(const struct owed_list *l, const struct owed *o)
{
    for (const struct owed *before = l->first; before != o; before = before->next) {
        if (before->text && before->serial <= l->durable && strcmp(before->uplink, o->uplink) == 0)
            return true;
    }
    return false;
}

bool owed_send(struct owed_list *l)
{
    struct owed **link = &l->first;
    bool left = false;

    flush(l);
    l->last = NULL;
    while (*link) {
        struct owed *o = *link;

        if (o->text && l->p->uplinks && o->serial <= l->durable && !is_behind(l, o) &&
            send_one(l, o) == SENT_DONE) {
            *link = o->next;
            free_one(o);
            continue;
        }
        left = left || o->text;
        l->last = o;
        link = &o->next;
    }
    return left;
}

static void drop(struct owed_list *l, const struct owed *what)
{
    struct owed **link = &l->first;

    l->last = NULL;
    while (*link) {
        struct owed *o = *link;

        if (o == what) {
            *link = o->next;
            free_one(o);
            continue;
        }
        l->last = o;
        link = &o->next;
    }
}

void owed_text(struct owed_list *l, struct owed *o, const struct jsonw *w, bool recorded)
{
    o->text = jsonw_error(w) == RG_OK ? malloc(w->length) : NULL;
    if (!o->text) {
        l->lost++;
        drop(l, o);
        return;
    }
    memcpy(o->text, w->text, w->length);
    o->length = w->length;
    if (recorded)
        o->serial = ++l->serial;
    (void)owed_send(l);
}
