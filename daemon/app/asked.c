#include "app/asked.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define PASSWD_BYTES 16384

struct asked_call {
    struct asked *asked;
    struct control_call *call;
    struct asked_call *next;
};

bool asked_any(const struct asked *a)
{
    return a->count > 0;
}

static void add(struct asked *a, const struct asked_who *who)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->who[i].tool == who->tool &&
            (who->tool ? a->who[i].uid == who->uid : strcmp(a->who[i].name, who->name) == 0))
            return;
    }
    if (a->count < ASKED_NAMES)
        a->who[a->count++] = *who;
    else
        a->others = true;
}

void asked_add(struct asked *a, const char *name)
{
    struct asked_who who = {.tool = false};

    (void)text_copy(who.name, sizeof who.name, name);
    add(a, &who);
}

static void gone_cb(void *arg)
{
    struct asked_call *gone = arg;

    for (struct asked_call **link = &gone->asked->calls; *link; link = &(*link)->next) {
        if (*link == gone) {
            *link = gone->next;
            break;
        }
    }
    free(gone);
}

enum rg_err asked_add_call(struct asked *a, uint32_t uid, struct control_call *call)
{
    const struct asked_who who = {.tool = true, .uid = uid};
    struct asked_call *waiting = calloc(1, sizeof *waiting);

    if (!waiting)
        return RG_ENOMEM;
    *waiting = (struct asked_call){a, call, a->calls};
    a->calls = waiting;
    control_defer(call, gone_cb, waiting);
    add(a, &who);
    return RG_OK;
}

void asked_resolve(struct asked *a)
{
    for (size_t i = 0; i < a->count; i++) {
        struct asked_who *who = &a->who[i];
        struct passwd entry, *found = NULL;
        char memory[PASSWD_BYTES];

        if (!who->tool)
            continue;
        if (getpwuid_r((uid_t)who->uid, &entry, memory, sizeof memory, &found) != 0 || !found ||
            !text_format(who->name, sizeof who->name, "%.40s (uid %u)", entry.pw_name, who->uid))
            (void)text_format(who->name, sizeof who->name, "uid %u", who->uid);
    }
}

const char *asked_by(const struct asked *a, char out[ASKED_BY_MAX])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < a->count; i++) {
        (void)text_format(out + used, ASKED_BY_MAX - used, "%s%s", used > 0 ? ", " : "", a->who[i].name);
        used += strlen(out + used);
    }
    if (a->others)
        (void)text_format(out + used, ASKED_BY_MAX - used, " and others");
    return out;
}

bool asked_uid(const struct asked *a, uint32_t *uid)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->who[i].tool) {
            *uid = a->who[i].uid;
            return true;
        }
    }
    return false;
}

/* Answering one may bring the next request of the same peer, and with it a call on this very list or another one: the list is taken
 * off first. A call of it cannot go away meanwhile: peers are freed by the loop alone. */
static void answer_calls(struct asked *a, const struct jsonw *result, const char *error)
{
    struct asked_call *calls = a->calls;

    a->calls = NULL;
    while (calls) {
        struct asked_call *next = calls->next;
        struct control_call *call = calls->call;

        free(calls);
        calls = next;
        if (result)
            control_answer(call, result);
        else
            control_answer_error(call, error);
    }
}

/* Nobody asked any more before the first is answered, who may ask again. */
static void answer_all(struct asked *a, const struct jsonw *result, const char *error)
{
    struct asked before;

    asked_move(a, &before);
    answer_calls(&before, result, error);
}

void asked_answer(struct asked *a, const struct jsonw *result)
{
    answer_all(a, result, NULL);
}

void asked_answer_error(struct asked *a, const char *text)
{
    answer_all(a, NULL, text);
}

void asked_give_up(struct asked *a, const char *text)
{
    answer_calls(a, NULL, text);
}

void asked_move(struct asked *from, struct asked *to)
{
    *to = *from;
    *from = (struct asked){.count = 0};
    for (struct asked_call *c = to->calls; c; c = c->next)
        c->asked = to;
}
