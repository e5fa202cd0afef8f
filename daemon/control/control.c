#include "control/control.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define ERROR_TEXT_MAX 256
#define ANSWER_MAX (32u << 20)
#define IDLE_CHECK_MS 5000
#define WINDOW_MS 1000
#define PLACES (2 * CONTROL_PEERS) /* who is being closed still has one for a moment */

const struct control_rights control_rights_open = {LOOP_GROUP_OWN, CONTROL_ALL};

enum call_state {
    CALL_NONE,     /* the peer is owed nothing */
    CALL_RUNNING,  /* the command's callback is at work */
    CALL_DEFERRED, /* it will be answered later */
};

struct control_call {
    struct peer *peer;
    enum call_state state;
    void (*gone)(void *arg); /* CALL_DEFERRED */
    void *arg;
};

struct peer {
    struct control *control;
    struct loop_peer *socket;
    uint32_t uid;
    int64_t heard_ms;
    bool dropped; /* its place was given to another */
    bool closing; /* an answer that ends the conversation was written: further bytes are not read */
    bool waiting; /* for its user's next share of the daemon's time */
    struct control_call call;
    size_t length;
    char line[CONTROL_LINE_MAX +
              1]; /* what was sent and not carried out yet, from the beginning of a line; with its end */
    struct peer *next;
};

/* What one user's commands took of this second. */
struct share {
    uint32_t uid;
    int64_t until_ms; /* the end of the second; past: it is free for another */
    int64_t spent_us;
};

struct control {
    struct loop *loop;
    struct loop_listener *listener;
    struct loop_timer *idle;
    struct control_rights rights;
    control_command_cb command;
    void *arg;
    struct loop_timer *resume; /* those who wait for their share */
    struct share shares[PLACES];
    struct peer *peers;
};

/* One line. A peer that does not take it is closed, and nothing more that it sent is carried out. */
static void peer_send(struct peer *p, const struct jsonw *w)
{
    if (jsonw_error(w) == RG_OK && loop_peer_write(p->socket, w->text, w->length) == RG_OK &&
        loop_peer_write(p->socket, "\n", 1) == RG_OK)
        return;
    p->closing = true;
    loop_peer_close(p->socket);
}

static void peer_answer_error(struct peer *p, const char *text)
{
    struct jsonw w;

    jsonw_init(&w, ANSWER_MAX);
    jsonw_object_begin(&w);
    jsonw_key_bool(&w, "ok", false);
    jsonw_key_string(&w, "error", text);
    jsonw_object_end(&w);
    peer_send(p, &w);
    jsonw_free(&w);
}

/* Answers and says goodbye: for those who do not speak the protocol. */
static void peer_refuse(struct peer *p, const char *text)
{
    p->closing = true;
    peer_answer_error(p, text);
    loop_peer_close(p->socket);
}

static void peer_answer_begin(struct jsonw *w)
{
    jsonw_init(w, ANSWER_MAX);
    jsonw_object_begin(w);
    jsonw_key_bool(w, "ok", true);
    jsonw_key(w, "result");
}

static void peer_run(struct peer *p, const char *command, const struct json *request)
{
    char error[ERROR_TEXT_MAX] = "";
    struct jsonw w;
    enum rg_err err;

    peer_answer_begin(&w);
    p->call.state = CALL_RUNNING;
    err = p->control->command(p->control->arg, &p->call, command, request, p->uid, &w, error, sizeof error);
    if (p->call.state != CALL_DEFERRED) {
        p->call.state = CALL_NONE;
        jsonw_object_end(&w);
        if (err == RG_OK)
            err = jsonw_error(&w);
        if (err != RG_OK)
            peer_answer_error(p, error[0] ? error : rg_err_text(err));
        else
            peer_send(p, &w);
    }
    jsonw_free(&w);
}

static void peer_line(struct peer *p, const char *line, size_t length)
{
    struct json *request = NULL;
    const char *command;

    if (json_parse(line, length, CONTROL_LINE_MAX, &request) != RG_OK) {
        peer_refuse(p, "the request is not a JSON object");
        return;
    }
    command = json_string(json_get(request, "command"));
    if (!command)
        peer_refuse(p, "the request has no command");
    else
        peer_run(p, command, request);
    json_free(request);
}

/* The user's, of this second. As many as there are places; should all of them be taken, the first is as good as any. */
static struct share *share_of(struct control *c, uint32_t uid)
{
    int64_t now_ms = loop_mono_ms(c->loop);
    struct share *free = &c->shares[0];

    for (size_t i = 0; i < PLACES; i++) {
        struct share *s = &c->shares[i];

        if (s->uid == uid && s->until_ms > now_ms)
            return s;
        if (s->until_ms <= now_ms)
            free = s;
    }
    *free = (struct share){.uid = uid, .until_ms = now_ms + WINDOW_MS};
    return free;
}

/* False: the user has had his share, and the peer waits for the next. */
static bool peer_may_go_on(struct peer *p)
{
    const struct share *s = share_of(p->control, p->uid);

    if (s->spent_us < CONTROL_SHARE_US)
        return true;
    p->waiting = true;
    loop_timer_at(p->control->resume, s->until_ms);
    return false;
}

static void peer_line_timed(struct peer *p, const char *line, size_t length)
{
    const struct control *c = p->control;
    int64_t begun_us = loop_mono_us(c->loop);

    peer_line(p, line, length);
    share_of(p->control, p->uid)->spent_us += loop_mono_us(c->loop) - begun_us;
}

/* Carries out the lines that are whole, up to one that is answered later. */
static void peer_work(struct peer *p)
{
    size_t begin = 0;

    while (!p->closing && !p->waiting && p->call.state == CALL_NONE) {
        const char *line = p->line + begin;
        const char *end = memchr(line, '\n', p->length - begin);

        if (!end || !peer_may_go_on(p))
            break;
        if (loop_peer_waiting(p->socket) > CONTROL_UNREAD_MAX) {
            p->closing = p->dropped = true;
            loop_peer_drop(p->socket);
            return;
        }
        begin += (size_t)(end - line) + 1;
        peer_line_timed(p, line, (size_t)(end - line));
    }
    p->length -= begin;
    memmove(p->line, p->line + begin, p->length);
}

static void peer_read_cb(void *context, const char *bytes, size_t length)
{
    struct peer *p = context;

    p->heard_ms = loop_mono_ms(p->control->loop);
    while (length > 0 && !p->closing) {
        size_t room = sizeof p->line - p->length;
        size_t part = length < room ? length : room;

        memcpy(p->line + p->length, bytes, part);
        p->length += part;
        bytes += part;
        length -= part;
        peer_work(p);
        if (!p->closing && p->length == sizeof p->line)
            peer_refuse(p, p->call.state == CALL_DEFERRED || p->waiting
                               ? "too much was sent before the answer"
                               : "the request is too long");
    }
}

static unsigned places_of(const struct control *c, uint32_t uid)
{
    unsigned count = 0;

    for (const struct peer *p = c->peers; p; p = p->next)
        count += !p->dropped && p->uid == uid;
    return count;
}

/* Nobody keeps the others out by taking every place: when the last one is taken, of the user who has the most the peer not heard
 * for longest goes. The one who comes counts as well, so of two with as many it is his own. */
static void control_make_room(struct control *c, uint32_t comer)
{
    struct peer *quietest = NULL;
    unsigned open = 0, most = 0;

    for (struct peer *p = c->peers; p; p = p->next) {
        unsigned places;

        if (p->dropped)
            continue;
        open++;
        places = places_of(c, p->uid) + (p->uid == comer);
        /* The list is newest first. */
        if (!quietest || places > most || (places == most && p->heard_ms <= quietest->heard_ms)) {
            quietest = p;
            most = places;
        }
    }
    if (open < CONTROL_PEERS)
        return;
    quietest->closing = quietest->dropped = true;
    loop_peer_drop(quietest->socket);
}

static void *peer_open_cb(void *arg, struct loop_peer *socket, uint32_t uid)
{
    struct control *c = arg;
    struct peer *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    control_make_room(c, uid);
    p->control = c;
    p->socket = socket;
    p->uid = uid;
    p->call.peer = p;
    p->heard_ms = loop_mono_ms(c->loop);
    p->next = c->peers;
    c->peers = p;
    return p;
}

static void peer_closed_cb(void *context)
{
    struct peer *p = context;

    for (struct peer **link = &p->control->peers; *link; link = &(*link)->next) {
        if (*link == p) {
            *link = p->next;
            break;
        }
    }
    if (p->call.state == CALL_DEFERRED)
        p->call.gone(p->call.arg);
    free(p);
}

/* ---- answers that come later ---- */

void control_defer(struct control_call *call, void (*gone)(void *arg), void *arg)
{
    call->state = CALL_DEFERRED;
    call->gone = gone;
    call->arg = arg;
}

/* The peer is owed nothing any more: what it sent meanwhile is carried out now. */
static void call_end(struct control_call *call)
{
    struct peer *p = call->peer;

    call->state = CALL_NONE;
    p->heard_ms = loop_mono_ms(p->control->loop);
    peer_work(p);
}

void control_answer(struct control_call *call, const struct jsonw *result)
{
    enum rg_err err = jsonw_error(result);
    struct jsonw w;

    if (err == RG_OK && result->length == 0)
        err = RG_ESTATE;
    peer_answer_begin(&w);
    if (err == RG_OK)
        jsonw_raw(&w, result->text, result->length);
    jsonw_object_end(&w);
    if (err == RG_OK)
        err = jsonw_error(&w);
    if (err == RG_OK)
        peer_send(call->peer, &w);
    else
        peer_answer_error(call->peer, rg_err_text(err));
    jsonw_free(&w);
    call_end(call);
}

void control_answer_error(struct control_call *call, const char *text)
{
    peer_answer_error(call->peer, text);
    call_end(call);
}

static void control_idle_cb(void *arg)
{
    struct control *c = arg;
    int64_t now = loop_mono_ms(c->loop);

    for (struct peer *p = c->peers, *next; p; p = next) {
        next = p->next; /* closing may free p at once */
        if (p->call.state != CALL_DEFERRED && now - p->heard_ms >= CONTROL_IDLE_MS) {
            p->closing = true;
            loop_peer_close(p->socket);
        }
    }
    loop_timer_at(c->idle, now + IDLE_CHECK_MS);
}

static void control_resume_cb(void *arg)
{
    struct control *c = arg;

    for (struct peer *p = c->peers, *next; p; p = next) {
        next = p->next; /* closing may free p at once */
        if (!p->waiting)
            continue;
        p->waiting = false;
        peer_work(p);
    }
}

static enum rg_err control_make_folder(const char *path, int *reason)
{
    char folder[PATH_MAX];
    char *slash;

    if (!text_copy(folder, sizeof folder, path)) {
        *reason = ENAMETOOLONG;
        return RG_EIO;
    }
    slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return RG_OK;
    *slash = '\0';
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        *reason = errno;
        return RG_EIO;
    }
    return RG_OK;
}

bool control_may_act(const struct control_call *call)
{
    const struct peer *p = call->peer;
    uint32_t group = p->control->rights.act_group;

    return group == CONTROL_ALL || p->uid == 0 || p->uid == (uint32_t)geteuid() ||
           loop_peer_in_group(p->socket, group);
}

enum rg_err control_grant(struct control *c, const struct control_rights *rights, int *reason)
{
    enum rg_err err = RG_OK;

    *reason = 0;
    if (rights->group != c->rights.group)
        err = loop_listener_grant(c->listener, rights->group, reason);
    if (err == RG_OK)
        c->rights = *rights;
    return err;
}

enum rg_err control_create(struct loop *loop, const char *path, const struct control_rights *rights,
                           control_command_cb cb, void *arg, struct control **out, int *reason)
{
    static const struct loop_peer_cbs peer_cbs = {peer_open_cb, peer_read_cb, peer_closed_cb};
    struct control *c = calloc(1, sizeof *c);
    enum rg_err err;

    *out = NULL;
    *reason = 0;
    if (!c)
        return RG_ENOMEM;
    c->loop = loop;
    c->rights = *rights;
    c->command = cb;
    c->arg = arg;
    err = control_make_folder(path, reason);
    if (err == RG_OK)
        err = loop_timer_create(loop, control_idle_cb, c, &c->idle);
    if (err == RG_OK)
        err = loop_timer_create(loop, control_resume_cb, c, &c->resume);
    if (err == RG_OK)
        err = loop_listen_local(loop, path, 0660, rights->group, PLACES, &peer_cbs, c, &c->listener, reason);
    if (err != RG_OK) {
        control_destroy(c);
        return err;
    }
    loop_timer_at(c->idle, loop_mono_ms(loop) + IDLE_CHECK_MS);
    *out = c;
    return RG_OK;
}

void control_destroy(struct control *c)
{
    if (!c)
        return;
    loop_timer_destroy(c->idle);
    loop_timer_destroy(c->resume);
    loop_listener_destroy(c->listener); /* closes every peer, which frees it */
    free(c);
}
