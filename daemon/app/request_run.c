/* What each command does, and what is answered. */
#include <string.h>

#include "app/act.h"
#include "app/request_impl.h"
#include "app/request_record.h"
#include "app/uplinks.h"
#include "base/text.h"

/* ---- answers ---- */

static struct jsonw *answer_begin(struct request_desk *d, const char *id, bool ok)
{
    const struct site_gateway *g = &d->p->site->gateway;
    struct jsonw *w = &d->text;

    jsonw_reset(w);
    jsonw_object_begin(w);
    jsonw_key_int(w, "v", 1);
    jsonw_key_string(w, "ent", g->ent_code);
    jsonw_key_string(w, "gw", g->id);
    if (!loop_clock_synced(d->p->loop))
        jsonw_key_string(w, "clock", "unsynced");
    jsonw_key_string(w, "id", id[0] ? id : NULL);
    jsonw_key_bool(w, "ok", ok);
    return w;
}

static void write_outcome(struct jsonw *w, const struct gate_outcome *o)
{
    jsonw_object_begin(w);
    jsonw_key_bool(w, "ok", o->ok);
    jsonw_key_string(w, "error", o->error[0] ? o->error : NULL);
    jsonw_key_int(w, "ts", o->ts);
    jsonw_object_end(w);
}

void run_error(struct request_desk *d, struct owed *answer, const char *id, const char *error,
               const struct gate_outcome *first, bool recorded)
{
    struct jsonw *w = answer_begin(d, id, false);

    jsonw_key_string(w, "error", error);
    if (first) {
        jsonw_key(w, "first");
        write_outcome(w, first);
    }
    jsonw_object_end(w);
    owed_text(&d->owed, answer, w, recorded);
}

static void failed(struct request_desk *d, struct seat *seat, const struct request *r, const char *by,
                   const char *error, struct owed *answer)
{
    gate_done(&seat->gate, r->id, false, error, desk_wall(d));
    if (gate_tell(&seat->gate, desk_mono(d), desk_wall(d)))
        request_record(d->p, seat->name, r, by, error, false);
    run_error(d, answer, r->id, error, NULL, true);
    desk_look(d);
}

void run_name(const char *by, const char *uplink, char *out)
{
    (void)text_format(out, ALARM_WHO_MAX, "%s@%s", by, uplink);
}

/* ---- what each command does ---- */

struct mark {
    const char *alarm;
    enum level highest;
};

static void mark_cb(void *arg, const struct alarm *a)
{
    struct mark *mark = arg;

    if (strcmp(a->id, mark->alarm) == 0)
        mark->highest = a->highest;
}

/* One that this platform never heard of does not exist for it. */
static bool alarm_seen(const struct call *c)
{
    struct mark mark = {.alarm = c->request.alarm, .highest = LEVEL_NONE};

    rules_each(c->d->p->rules, mark_cb, &mark);
    return mark.highest >= c->uplink->alarms_from && mark.highest > LEVEL_NONE;
}

static enum act_kind act_kind_of(enum request_command command)
{
    if (command == REQUEST_ACK)
        return ACT_ACK;
    return command == REQUEST_SHELVE ? ACT_SHELVE : ACT_UNSHELVE;
}

static bool run_act(struct call *c, struct owed *answer)
{
    struct pipeline *p = c->d->p;
    const struct request *r = &c->request;
    const struct act act = {.kind = act_kind_of(r->command),
                            .alarm = r->alarm,
                            .for_ms = r->for_ms,
                            .by = c->by,
                            .comment = r->has_comment ? r->comment : NULL,
                            .uplink = c->seat->name,
                            .id = r->id};
    char why[REQUEST_ERROR_MAX - 16];
    struct jsonw *w;

    if (!alarm_seen(c)) {
        (void)text_format(c->error, sizeof c->error, "failed: there is no active alarm %.96s", r->alarm);
        return false;
    }
    if (act_run(p, &act, why, sizeof why) != RG_OK) {
        (void)text_format(c->error, sizeof c->error, "failed: %s", why);
        return false;
    }
    w = answer_begin(c->d, r->id, true);
    jsonw_key_string(w, "alarm", r->alarm);
    if (r->command == REQUEST_SHELVE)
        jsonw_key_int(w, "shelved_until_ts", act_shelved_until(p, r->alarm));
    jsonw_object_end(w);
    owed_text(&c->d->owed, answer, w, true);
    return true;
}

static bool run_backfill(struct call *c, struct owed *answer)
{
    struct request *r = &c->request;
    struct uplink *u = uplinks_named(c->d->p, c->seat->name);
    struct seq_range range = {0};
    enum rg_err err = RG_ENOTFOUND;
    struct jsonw *w;

    if (u && (r->stream != STREAM_TELEMETRY || c->uplink->telemetry_send))
        err = uplink_backfill(u, r->stream, r->from, r->to, &range);
    if (err != RG_OK) {
        (void)text_format(c->error, sizeof c->error, "failed: %s",
                          err == RG_ENOTFOUND ? "there are no such records for this platform"
                                              : rg_err_text(err));
        return false;
    }
    w = answer_begin(c->d, r->id, true);
    jsonw_key_string(w, "stream", stream_name(r->stream));
    jsonw_key_int(w, "from", range.first);
    jsonw_key_int(w, "to", range.last);
    jsonw_object_end(w);
    request_record(c->d->p, c->seat->name, r, c->by, NULL, false);
    owed_text(&c->d->owed, answer, w, true);
    return true;
}

/* ---- reads ---- */

void run_read_end(struct request_desk *d, struct pending *pending, const char *error)
{
    const struct request *r = &pending->read.request;
    struct seat *seat = pending->read.owner;
    struct owed *answer = pending->answer;
    char by[ALARM_WHO_MAX];
    struct jsonw *w;

    pending->read.owner = NULL;
    seat->reads--;
    run_name(r->by, seat->name, by);
    if (error) {
        failed(d, seat, r, by, error, answer);
        return;
    }
    gate_done(&seat->gate, r->id, true, "", desk_wall(d));
    request_record(d->p, seat->name, r, by, NULL, false);
    w = answer_begin(d, r->id, true);
    request_read_write(d->p, r, w);
    jsonw_object_end(w);
    if (w->length > UPLINK_REPLY_BYTES)
        run_error(d, answer, r->id, "failed: the answer is too long: read its points one by one", NULL, true);
    else
        owed_text(&d->owed, answer, w, true);
    desk_look(d);
}

/* True: it is under way, or over and answered. */
static bool run_read(struct call *c, struct owed *answer)
{
    struct request_desk *d = c->d;
    struct pending *free_one = NULL;

    if (!request_read_seen(d->p->site, c->uplink, &c->request)) {
        (void)text_format(c->error, sizeof c->error, "failed: there is no %s %.129s",
                          c->request.device[0] ? "device" : "point",
                          c->request.device[0] ? c->request.device : c->request.point);
        return false;
    }
    for (size_t i = 0; i < REQUEST_READS && !free_one; i++) {
        if (!d->pendings[i].read.owner)
            free_one = &d->pendings[i];
    }
    if (!free_one || c->seat->reads == REQUEST_READS_UPLINK) {
        (void)text_copy(c->error, sizeof c->error, "failed: too many reads are under way");
        return false;
    }
    if (request_read_begin(d->p, &c->request, &free_one->read, c->error, sizeof c->error) != RG_OK)
        return false;
    free_one->read.owner = c->seat;
    free_one->read.request = c->request;
    free_one->read.until_ms = desk_mono(d) + REQUEST_READ_MS;
    free_one->answer = answer;
    c->seat->reads++;
    return true;
}

void request_desk_polled(struct request_desk *d, uint32_t device, bool answered)
{
    (void)answered; /* the readings say so */
    for (size_t i = 0; d && i < REQUEST_READS; i++) {
        struct pending *pending = &d->pendings[i];

        if (pending->read.owner && request_read_polled(&pending->read, device))
            run_read_end(d, pending, NULL);
    }
}

/* ---- any of them ---- */

void run_command(struct call *c, struct owed *answer)
{
    struct gate *g = &c->seat->gate;
    bool good = false;

    gate_enter(g, c->request.id);
    switch (c->request.command) {
    case REQUEST_ACK:
    case REQUEST_SHELVE:
    case REQUEST_UNSHELVE:
        good = run_act(c, answer);
        break;
    case REQUEST_BACKFILL:
        good = run_backfill(c, answer);
        break;
    case REQUEST_READ:
        good = run_read(c, answer);
        break;
    case REQUEST_NONE:
        break;
    }
    if (!good)
        failed(c->d, c->seat, &c->request, c->by, c->error, answer);
    else if (c->request.command != REQUEST_READ)
        gate_done(g, c->request.id, true, "", desk_wall(c->d));
    desk_look(c->d);
}
