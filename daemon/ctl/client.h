/* One question to the running daemon over its control socket, blocking. */
#ifndef RG_CTL_CLIENT_H
#define RG_CTL_CLIENT_H

#include <stdbool.h>

#include "base/json_read.h"
#include "base/json_write.h"

#define CLIENT_TIMEOUT_S 10 /* for what the daemon knows */
#define CLIENT_LINE_TIMEOUT_S                                                                                \
    60 /* for what it must ask a device first, behind what is under way on that line */
#define CLIENT_ANSWER_MAX (64u << 20)

struct client_answer {
    bool reached;        /* the daemon answered */
    bool nobody;         /* nobody listens there: no such socket, or its daemon has ended */
    char problem[384];   /* what went wrong, for people; empty when the daemon said ok */
    struct json *answer; /* whole answer; free with json_free */
    char *text;          /* its bytes; free with free */
};

/* request: one JSON object. Fills *out in every case. */
void client_ask(const char *socket_path, const struct jsonw *request, int timeout_s,
                struct client_answer *out);
void client_answer_free(struct client_answer *answer);

#endif
