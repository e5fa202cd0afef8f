/* The Unix socket for riskgatectl: one JSON object a line in, one a line out.
 *
 * Request: {"command":"status"} with further members as the command needs. Answer: {"ok":true,"result":...} or
 * {"ok":false,"error":"text"}. A line over CONTROL_LINE_MAX bytes, no JSON object, or no command: an error answer, and the
 * peer is closed. Bounded: CONTROL_PEERS at once, beside as many that are being closed; one more and the peer not heard for longest
 * is closed; an idle peer is closed after CONTROL_IDLE_MS. */
#ifndef RG_CONTROL_CONTROL_H
#define RG_CONTROL_CONTROL_H

#include "base/error.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "loop/loop.h"

#define CONTROL_LINE_MAX 65536
#define CONTROL_PEERS 16
#define CONTROL_IDLE_MS 60000

struct control;
/* Writes the value of "result" (one JSON value) into out. An error: returns it and writes the text for people into error. */
typedef enum rg_err (*control_command_cb)(void *arg, const char *command, const struct json *request,
                                          uint32_t uid, struct jsonw *out, char *error, size_t error_size);

/* path's folder is made (0755) when it is missing. RG_EEXIST: another instance answers there; RG_EIO: *reason gets an errno. */
RG_NODISCARD enum rg_err control_create(struct loop *loop, const char *path, control_command_cb cb, void *arg,
                                        struct control **out, int *reason);
void control_destroy(struct control *c); /* takes NULL */

#endif
