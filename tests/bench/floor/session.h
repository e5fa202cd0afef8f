/* A subscription to a broker of the loopback: MQTT 3.1.1 by hand, so that it owes nothing to the client that is judged; all that has come is
 * acknowledged together. */
#ifndef RG_BENCH_SESSION_H
#define RG_BENCH_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_ACKS_MAX 1024u

/* payload: borrowed, not NUL-terminated. */
typedef void (*session_message_cb)(void *arg, const char *payload, size_t length);

struct session {
    int fd; /* to be polled for reading */
    session_message_cb message;
    void *arg;
    uint8_t *bytes; /* what has been read and not yet understood */
    size_t length;
    uint8_t acks[SESSION_ACKS_MAX * 4];
    size_t acks_length;
};

/* At QoS 1; name: of the client, topic: at most 100 bytes each. Ends the program when the broker refuses. */
void session_open(struct session *s, long port, const char *name, const char *topic,
                  session_message_cb message, void *arg);
/* Something is there to be read: message is called for each that is there as a whole. False: the broker is gone. */
bool session_read(struct session *s);
void session_close(struct session *s);

#endif
