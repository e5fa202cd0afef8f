/* The Unix socket for riskgatectl: one JSON object a line in, one a line out.
 *
 * Request: {"command":"status"} with further members as the command needs. Answer: {"ok":true,"result":...} or
 * {"ok":false,"error":"text"}. A line over CONTROL_LINE_MAX bytes, no JSON object, or no command: an error answer, and the
 * peer is closed. Bounded: CONTROL_PEERS at once, beside as many that are being closed; one more and, of the user who has the most
 * places, the peer not heard for longest is closed, so that one user alone never takes another's; an idle peer is closed after CONTROL_IDLE_MS; one that asks on while more than CONTROL_UNREAD_MAX of answers lie unread
 * is closed at once: its questions would only keep the daemon from its work.
 *
 * No user takes more than CONTROL_SHARE_US of a second of the daemon's time: what he asks beyond it waits for the next second, in its
 * order, CONTROL_LINE_MAX bytes of it.
 *
 * A command may answer later (control_defer). Answers keep the order of their requests, so what the peer sends meanwhile
 * waits, CONTROL_LINE_MAX bytes at most: more, and it is told so and closed. A peer that ends its side, be it the sending
 * one only, is gone, and the command hears of it. Such a wait is bounded by the command; the peer is not idle meanwhile. */
#ifndef RG_CONTROL_CONTROL_H
#define RG_CONTROL_CONTROL_H

#include "base/error.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "loop/loop.h"

#define CONTROL_LINE_MAX 65536
#define CONTROL_UNREAD_MAX ((size_t)256 << 10) /* bytes of answers */
#define CONTROL_PEERS 16
#define CONTROL_IDLE_MS 60000
#define CONTROL_SHARE_US 200000

/* Who may do what. The file is mode 0660: its owner, its group and root get in at all. */
struct control_rights {
    uint32_t group;     /* of the file; LOOP_GROUP_OWN: as the daemon makes files */
    uint32_t act_group; /* who may act, beside root and the daemon's own user; CONTROL_ALL: whoever gets in */
};
#define CONTROL_ALL UINT32_MAX
extern const struct control_rights control_rights_open; /* nothing said */

struct control;
/* The request of a peer that is being carried out. */
struct control_call;
/* Writes the value of "result" (one JSON value) into out. An error: returns it and writes the text for people into error. */
typedef enum rg_err (*control_command_cb)(void *arg, struct control_call *call, const char *command,
                                          const struct json *request, uint32_t uid, struct jsonw *out,
                                          char *error, size_t error_size);

/* Inside the control_command_cb of this call, once, which then returns RG_OK and writes nothing: it will be answered by
 * control_answer or control_answer_error, on the loop and not before that callback has returned. gone(arg): the peer went
 * away first, or the control is being destroyed; the call is no more. It never comes inside an answer. */
void control_defer(struct control_call *call, void (*gone)(void *arg), void *arg);
/* result: one JSON value; with an error in it (jsonw_error) that is the answer. The call is no more. */
void control_answer(struct control_call *call, const struct jsonw *result);
void control_answer_error(struct control_call *call, const char *text);

/* path's folder is made (0755) when it is missing. RG_EEXIST: another instance answers there; RG_EIO: *reason gets an errno. */
RG_NODISCARD enum rg_err control_create(struct loop *loop, const char *path,
                                        const struct control_rights *rights, control_command_cb cb, void *arg,
                                        struct control **out, int *reason);
/* Other rights from now on, also for who is connected. RG_EIO: *reason gets an errno, and all is as it was. */
RG_NODISCARD enum rg_err control_grant(struct control *c, const struct control_rights *rights, int *reason);
/* Whether the peer of this call may act, and not only read: by the groups its process had when it connected. */
bool control_may_act(const struct control_call *call);
void control_destroy(struct control *c); /* takes NULL */

#endif
