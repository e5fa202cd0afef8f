#include "control/control.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#define ERROR_TEXT_MAX 256
#define ANSWER_MAX (32u << 20)
#define IDLE_CHECK_MS 5000
#define PLACES (2 * CONTROL_PEERS) /* who is being closed still has one for a moment */

struct peer {
    struct control *control;
    struct loop_peer *socket;
    uint32_t uid;
    int64_t heard_ms;
    bool dropped; /* its place was given to another */
    bool closing; /* an answer that ends the conversation was written: further bytes are not read */
    size_t length;
    char line[CONTROL_LINE_MAX];
    struct peer *next;
};

struct control {
    struct loop *loop;
    struct loop_listener *listener;
    struct loop_timer *idle;
    control_command_cb command;
    void *arg;
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

static void peer_run(struct peer *p, const char *command, const struct json *request)
{
    char error[ERROR_TEXT_MAX] = "";
    struct jsonw w;
    enum rg_err err;

    jsonw_init(&w, ANSWER_MAX);
    jsonw_object_begin(&w);
    jsonw_key_bool(&w, "ok", true);
    jsonw_key(&w, "result");
    err = p->control->command(p->control->arg, command, request, p->uid, &w, error, sizeof error);
    jsonw_object_end(&w);
    if (err == RG_OK)
        err = jsonw_error(&w);
    if (err != RG_OK)
        peer_answer_error(p, error[0] ? error : rg_err_text(err));
    else
        peer_send(p, &w);
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

static void peer_read_cb(void *context, const char *bytes, size_t length)
{
    struct peer *p = context;

    p->heard_ms = loop_mono_ms(p->control->loop);
    while (length > 0 && !p->closing) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end ? (size_t)(end - bytes) : length;

        if (part > sizeof p->line - p->length) {
            peer_refuse(p, "the request is too long");
            return;
        }
        memcpy(p->line + p->length, bytes, part);
        p->length += part;
        if (!end)
            return;
        bytes += part + 1;
        length -= part + 1;
        part = p->length;
        p->length = 0;
        peer_line(p, p->line, part);
    }
}

/* Nobody keeps the others out by taking every place: when the last one is taken, the peer not heard for longest goes. */
static void control_make_room(struct control *c)
{
    struct peer *quietest = NULL;
    unsigned open = 0;

    for (struct peer *p = c->peers; p; p = p->next) {
        if (p->dropped)
            continue;
        open++;
        if (!quietest || p->heard_ms <= quietest->heard_ms) /* the list is newest first */
            quietest = p;
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
    control_make_room(c);
    p->control = c;
    p->socket = socket;
    p->uid = uid;
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
    free(p);
}

static void control_idle_cb(void *arg)
{
    struct control *c = arg;
    int64_t now = loop_mono_ms(c->loop);

    for (struct peer *p = c->peers, *next; p; p = next) {
        next = p->next; /* closing may free p at once */
        if (now - p->heard_ms >= CONTROL_IDLE_MS) {
            p->closing = true;
            loop_peer_close(p->socket);
        }
    }
    loop_timer_at(c->idle, now + IDLE_CHECK_MS);
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

enum rg_err control_create(struct loop *loop, const char *path, control_command_cb cb, void *arg,
                           struct control **out, int *reason)
{
    static const struct loop_peer_cbs peer_cbs = {peer_open_cb, peer_read_cb, peer_closed_cb};
    struct control *c = calloc(1, sizeof *c);
    enum rg_err err;

    *out = NULL;
    *reason = 0;
    if (!c)
        return RG_ENOMEM;
    c->loop = loop;
    c->command = cb;
    c->arg = arg;
    err = control_make_folder(path, reason);
    if (err == RG_OK)
        err = loop_timer_create(loop, control_idle_cb, c, &c->idle);
    if (err == RG_OK)
        err = loop_listen_local(loop, path, 0660, PLACES, &peer_cbs, c, &c->listener, reason);
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
    loop_listener_destroy(c->listener); /* closes every peer, which frees it */
    free(c);
}
