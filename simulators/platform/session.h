/* The platform's connection to its broker. One thread; nothing happens outside these calls. */
#ifndef PLATFORM_SESSION_H
#define PLATFORM_SESSION_H

#include <stdbool.h>
#include <stddef.h>

struct session_options {
    const char *broker; /* HOST:PORT, mqtt://HOST:PORT or mqtts://HOST:PORT */
    const char *username, *password;
    const char *ca, *cert, *key; /* PEM files, for mqtts; ca NULL: those of the system */
    const char *client_id;       /* NULL: a new one, and no session that outlives the connection */
    bool v311;
};

struct session_message {
    const char *topic;
    const char *payload;
    size_t length;
    int qos;
    bool retained, expires;
    const void *correlation; /* MQTT 5, or NULL */
    size_t correlation_length;
    void *inside[2]; /* of the session */
};

struct session;

/* The options are borrowed for as long as it lives. NULL: they make no sense, or no memory. */
struct session *session_create(const struct session_options *options);
void session_destroy(struct session *s); /* disconnects politely; takes NULL */
const char *session_id(const struct session *s);
/* One try; then it is subscribed to topic (and to more, unless NULL). False: why stands in session_error. */
bool session_connect(struct session *s, const char *topic, const char *more);
const char *session_error(const struct session *s);
bool session_connected(const struct session *s);
/* Waits so long for a message. True: *out has one, to be given back with session_done. */
bool session_receive(struct session *s, unsigned long timeout_ms, struct session_message *out);
void session_done(struct session_message *m);
/* QoS 1. response_topic (or NULL) and correlation: MQTT 5 only. */
bool session_publish(struct session *s, const char *topic, const char *text, const char *response_topic,
                     const char *correlation);
/* Waits until all that was published has been acknowledged, so long at most. */
bool session_settle(struct session *s, unsigned long timeout_ms);

#endif
