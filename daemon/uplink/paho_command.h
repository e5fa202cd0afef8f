/* What the loop asks of a Paho transport's thread: one block of memory with all its texts. For paho.c only.
 */
#ifndef RG_UPLINK_PAHO_COMMAND_H
#define RG_UPLINK_PAHO_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uplink/transport.h"

enum command_kind { COMMAND_CONNECT, COMMAND_PUBLISH, COMMAND_SUBSCRIBE, COMMAND_DISCONNECT };

struct command {
    struct command *next;
    enum command_kind kind;
    uint32_t generation;
    uint64_t token; /* subscribe: what to */
    bool retained;
    unsigned alias;
    struct transport_answer answer; /* publish; its correlation is a copy of its own */
    char *topic;                    /* publish, subscribe: the topic; connect: the will's */
    char *payload;                  /* publish: its payload; connect: the will's */
    size_t length;
    char *password; /* connect; or NULL */
    char text[];
};

/* NULL texts stay NULL. NULL when out of memory. */
struct command *command_new(enum command_kind kind, uint32_t generation, const char *topic,
                            const char *payload, size_t length, const char *password);
/* Copies what goes with a message. False: out of memory. */
bool command_answer(struct command *command, const struct transport_answer *answer);
/* A password in it is wiped. Takes NULL. */
void command_free(struct command *command);

#endif
