/* Who asked for a reload: signals, and people with riskgatectl, who wait for word of how it went. One reload may answer many. Bounded: of those who
 * ask ASKED_NAMES are named, and the rest is told as "others"; those who wait are bounded by the places of the control socket. */
#ifndef RG_APP_ASKED_H
#define RG_APP_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json_write.h"
#include "base/text.h"
#include "control/control.h"

#define ASKED_NAMES 4
#define ASKED_NAME_MAX 64
#define ASKED_BY_MAX (ASKED_NAMES * (ASKED_NAME_MAX + 2) + 16)

struct asked_call;

struct asked {
    struct asked_who {
        char name[ASKED_NAME_MAX];
        bool tool; /* over the control socket: uid is who that was, and name is found by asked_resolve */
        uint32_t uid;
    } who[ASKED_NAMES];
    size_t count;
    bool others;
    struct asked_call *calls; /* wait for the outcome */
};

/* All take a zeroed one as: nobody asked. */
bool asked_any(const struct asked *a);
/* name: "signal", ... Twice the same is once. */
void asked_add(struct asked *a, const char *name);
/* The same over the control socket; the call is deferred and will be answered, or is forgotten when its peer goes away. RG_ENOMEM: it is not
 * deferred, and nothing happened. */
RG_NODISCARD enum rg_err asked_add_call(struct asked *a, uint32_t uid, struct control_call *call);
/* Finds the names of the users. May take long (a directory service): not on the loop. Touches nothing else. */
void asked_resolve(struct asked *a);
/* "signal", "root (uid 0), signal"; in out, which is returned. */
const char *asked_by(const struct asked *a, char out[ASKED_BY_MAX]);
/* The user of the first one who asked over the control socket. */
bool asked_uid(const struct asked *a, uint32_t *uid);
/* Answers all who wait; then nobody asked. */
void asked_answer(struct asked *a, const struct jsonw *result);
void asked_answer_error(struct asked *a, const char *text);
/* The same, but who asked stays: asked_resolve may be under way. */
void asked_give_up(struct asked *a, const char *text);
/* *from is *to's from now on, which was empty. */
void asked_move(struct asked *from, struct asked *to);

#endif
