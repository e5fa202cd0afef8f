#include "app/request_desk.h"

#include <stdlib.h>
#include <string.h>

#include "app/request_impl.h"
#include "app/request_record.h"
#include "base/text.h"

#define LOOK_MS 1000 /* while something is under way */

int64_t desk_mono(const struct request_desk *d)
{
    return loop_mono_ms(d->p->loop);
}

int64_t desk_wall(const struct request_desk *d)
{
    return loop_wall_ms(d->p->loop);
}

/* Never put off by what comes meanwhile. */
void desk_look(struct request_desk *d)
{
    if (!d->looking)
        loop_timer_at(d->timer, desk_mono(d) + LOOK_MS);
    d->looking = true;
}

/* ---- seats ---- */

static struct seat *find_seat(const struct request_desk *d, const char *name)
{
    for (size_t i = 0; i < d->seat_count; i++) {
        if (strcmp(d->seats[i]->name, name) == 0)
            return d->seats[i];
    }
    return NULL;
}

static const struct site_uplink *find_uplink(const struct site *site, const char *name)
{
    for (size_t i = 0; i < site->uplink_count; i++) {
        if (strcmp(site->uplinks[i].name, name) == 0)
            return &site->uplinks[i];
    }
    return NULL;
}

static void free_seat(struct seat *s)
{
    gate_destroy(&s->gate);
    free(s);
}

/* Room for one more: the oldest that the site has no more, and of which nothing is under way, gives up its place. */
static bool make_room(struct request_desk *d)
{
    for (size_t i = 0; d->seat_count == DESK_SEATS && i < DESK_SEATS; i++) {
        struct seat *s = d->seats[i];

        if (find_uplink(d->p->site, s->name) || s->reads > 0 || owed_count(&d->owed, s->name) > 0)
            continue;
        free_seat(s);
        memmove(&d->seats[i], &d->seats[i + 1], (DESK_SEATS - 1 - i) * sizeof d->seats[0]);
        d->seat_count--;
    }
    return d->seat_count < DESK_SEATS;
}

static enum rg_err enter_seat(struct request_desk *d, const char *name, struct seat **out)
{
    struct seat *s = find_seat(d, name);
    enum rg_err err;

    *out = s;
    if (s)
        return RG_OK;
    if (!make_room(d))
        return RG_EFULL;
    s = calloc(1, sizeof *s);
    if (!s)
        return RG_ENOMEM;
    err = gate_create(&s->gate);
    if (err != RG_OK) {
        free(s);
        return err;
    }
    (void)text_copy(s->name, sizeof s->name, name);
    d->seats[d->seat_count++] = s;
    *out = s;
    return RG_OK;
}

/* ---- answers ---- */

/* The uplink sees to it that an answer does not pass for anything else of its own; nor may it for what another one says. */
static bool may_answer_on(const struct site *site, const char *topic)
{
    for (size_t i = 0; i < site->uplink_count; i++) {
        const char *root = site->uplinks[i].topic_root;
        const size_t length = strlen(root);

        if (strncmp(topic, root, length) == 0 && (topic[length] == '/' || topic[length] == '\0') &&
            strncmp(topic + length, "/reply", 6) != 0)
            return false;
    }
    return true;
}

/* NULL, and it is counted: no answer will be given. */
static struct owed *owe(struct call *c)
{
    const struct uplink_request *in = c->in;
    const char *topic =
        in->response_topic && may_answer_on(c->d->p->site, in->response_topic) ? in->response_topic : NULL;
    struct owed *o = NULL;

    if (owed_count(&c->d->owed, c->seat->name) < REQUEST_OWED)
        o = owed_add(&c->d->owed, c->seat->name, topic, in->correlation, in->correlation_length);
    if (!o)
        c->seat->gate.unanswered++;
    return o;
}

/* ---- outcomes ---- */

/* Not even tried: its id, if it had one, is not used up. first: what came of it before, or NULL. */
static void refuse(struct call *c, const struct gate_outcome *first)
{
    struct owed *answer = owe(c);

    if (gate_tell(&c->seat->gate, desk_mono(c->d), desk_wall(c->d)))
        request_record(c->d->p, c->seat->name, &c->request, c->by, c->error, true);
    if (answer)
        run_error(c->d, answer, c->request.id, c->error, first, true);
    desk_look(c->d);
}

/* The same when it is for want of room or of a store that takes records: said at once. */
static void refuse_busy(struct call *c, bool recorded)
{
    struct owed *answer = owe(c);

    if (recorded && gate_tell(&c->seat->gate, desk_mono(c->d), desk_wall(c->d)))
        request_record(c->d->p, c->seat->name, &c->request, c->by, c->error, true);
    if (answer)
        run_error(c->d, answer, c->request.id, c->error, NULL, false);
    desk_look(c->d);
}

/* ---- judging ---- */

static bool well_formed(struct call *c)
{
    const struct uplink_request *in = c->in;

    if (request_parse(in->text, in->length, &c->d->p->site->gateway, &c->request, c->error,
                      sizeof c->error) != RG_OK)
        return false;
    if (!in->retained)
        return true;
    (void)text_copy(c->error, sizeof c->error, "malformed: a retained command is not carried out");
    return false;
}

static bool too_busy(struct call *c)
{
    const struct pipeline *p = c->d->p;
    struct store_stats store;

    store_stats(p->store, &store);
    if (!p->poll)
        (void)text_copy(c->error, sizeof c->error, "busy: the gateway is stopping");
    else if (!store.ok)
        (void)text_copy(c->error, sizeof c->error,
                        "busy: the store takes no records, and nothing is done without one");
    else
        return false;
    return true;
}

static void carry_out(struct call *c)
{
    struct owed *answer = owe(c);

    /* Without a way to answer nothing is begun: nobody would hear what came of it. */
    if (!answer) {
        gate_unheard(&c->seat->gate, desk_mono(c->d), desk_wall(c->d));
        desk_look(c->d);
        return;
    }
    run_command(c, answer);
}

static void judge(struct call *c)
{
    const struct gate_outcome *first;

    if (!well_formed(c)) {
        run_name(c->request.by, c->seat->name, c->by);
        refuse(c, NULL);
        return;
    }
    run_name(c->request.by, c->seat->name, c->by);
    first = gate_find(&c->seat->gate, c->request.id);
    if (!(c->uplink->may & request_needs(c->request.command))) {
        (void)text_format(c->error, sizeof c->error, "not allowed: %s is not among this uplink's commands",
                          request_command_name(c->request.command));
        refuse(c, NULL);
    } else if (first) {
        (void)text_copy(c->error, sizeof c->error,
                        !first->done ? "replayed: it is still being carried out"
                        : first->ok  ? "replayed: it was carried out before"
                                     : "replayed: it was tried before, and failed");
        refuse(c, first->done ? first : NULL);
    } else if (too_busy(c)) {
        refuse_busy(c, true);
    } else {
        carry_out(c);
    }
}

/* Beyond its pace: not looked at, but for as many as are told so. */
static void too_many(struct call *c)
{
    struct gate *g = &c->seat->gate;

    gate_unheard(g, desk_mono(c->d), desk_wall(c->d));
    desk_look(c->d);
    if (!gate_pace_take(&g->told_busy, desk_mono(c->d), REQUEST_BURST, REQUEST_EVERY_MS)) {
        g->unanswered++;
        return;
    }
    /* For its id, which is echoed as far as it is valid. */
    (void)!request_parse(c->in->text, c->in->length, &c->d->p->site->gateway, &c->request, c->error,
                         sizeof c->error);
    (void)text_copy(c->error, sizeof c->error, "busy: too many at once, ask again later");
    refuse_busy(c, false);
}

void request_desk_take(struct request_desk *d, const char *uplink, const struct uplink_request *request)
{
    struct call c = {
        .d = d, .seat = find_seat(d, uplink), .uplink = find_uplink(d->p->site, uplink), .in = request};

    if (!c.seat || !c.uplink || c.uplink->may == 0)
        return; /* a reload has taken its right to ask meanwhile */
    c.seat->gate.came++;
    if (gate_pace_take(&c.seat->gate.heard, desk_mono(d), REQUEST_BURST, REQUEST_EVERY_MS))
        judge(&c);
    else
        too_many(&c);
}

/* ---- time ---- */

static void tell_counts(struct request_desk *d, bool now, bool *more)
{
    for (size_t i = 0; i < d->seat_count; i++) {
        struct seat *s = d->seats[i];
        struct gate_count count;

        if (gate_count(&s->gate, desk_mono(d), now, &count))
            request_record_count(d->p, s->name, &count);
        *more = *more || s->gate.unrecorded + s->gate.unheard > 0;
    }
}

static void look_cb(void *arg)
{
    struct request_desk *d = arg;
    bool more = false;

    d->looking = false;
    for (size_t i = 0; i < REQUEST_READS; i++) {
        struct pending *pending = &d->pendings[i];

        if (pending->read.owner && desk_mono(d) >= pending->read.until_ms)
            run_read_end(d, pending, "failed: its poll did not come to an end within 30 s");
        more = more || pending->read.owner;
    }
    tell_counts(d, false, &more);
    if (owed_send(&d->owed) || more)
        desk_look(d);
}

#define POLLING_ENDED "failed: polling was ended by a reload, or the end of the gateway"

void request_desk_reloaded(struct request_desk *d)
{
    for (size_t i = 0; d && i < REQUEST_READS; i++) {
        struct pending *pending = &d->pendings[i];
        const struct seat *seat = pending->read.owner;
        const struct site_uplink *uplink = seat ? find_uplink(d->p->site, seat->name) : NULL;

        /* It may see no more than it would if it asked now. */
        if (seat && (!uplink || !request_read_seen(d->p->site, uplink, &pending->read.request) ||
                     !request_read_goes_on(d->p, &pending->read)))
            run_read_end(d, pending, POLLING_ENDED);
    }
}

void request_desk_halt(struct request_desk *d)
{
    bool more = false;

    for (size_t i = 0; d && i < REQUEST_READS; i++) {
        if (d->pendings[i].read.owner)
            run_read_end(d, &d->pendings[i], POLLING_ENDED);
    }
    if (d)
        tell_counts(d, true, &more);
}

/* ---- lifetime ---- */

enum rg_err request_desk_create(struct pipeline *p, const struct store_start *start,
                                struct request_desk **out)
{
    struct request_desk *d = calloc(1, sizeof *d);
    enum rg_err err;

    *out = d;
    if (!d)
        return RG_ENOMEM;
    d->p = p;
    jsonw_init(&d->text, 0);
    owed_init(&d->owed, p);
    err = loop_timer_create(p->loop, look_cb, d, &d->timer);
    for (size_t i = 0; i < start->command_count && err == RG_OK; i++) {
        struct seat *seat;

        err = enter_seat(d, start->commands[i].uplink, &seat);
        if (err == RG_OK)
            gate_restore(&seat->gate, &start->commands[i]);
        else if (err == RG_EFULL)
            err = RG_OK; /* of uplinks that there were once: those of the site come before */
    }
    return err;
}

enum rg_err request_desk_uplinks(struct request_desk *d)
{
    enum rg_err err = RG_OK;

    for (size_t i = 0; i < d->p->site->uplink_count && err == RG_OK; i++) {
        const struct site_uplink *u = &d->p->site->uplinks[i];
        struct seat *seat;

        if (u->may != 0)
            err = enter_seat(d, u->name, &seat);
    }
    if (owed_send(&d->owed))
        desk_look(d);
    return err;
}

void request_desk_destroy(struct request_desk *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->seat_count; i++)
        free_seat(d->seats[i]);
    owed_free(&d->owed);
    loop_timer_destroy(d->timer);
    jsonw_free(&d->text);
    free(d);
}

void request_desk_figures(const struct request_desk *d, const char *uplink, struct jsonw *w)
{
    const struct seat *s = d ? find_seat(d, uplink) : NULL;

    if (!s) {
        jsonw_null(w);
        return;
    }
    jsonw_object_begin(w);
    jsonw_key_int(w, "heard", (int64_t)(s->gate.came - s->gate.too_many));
    jsonw_key_int(w, "refused", (int64_t)s->gate.refused);
    jsonw_key_int(w, "too_many", (int64_t)s->gate.too_many);
    jsonw_key_int(w, "unanswered", (int64_t)s->gate.unanswered);
    jsonw_object_end(w);
}
