/* `riskgate-platform ask`: one question, and its answer on standard output. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "json.h"

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The question with an id of its own, unless it has one. NULL: it is no JSON object. */
static cJSON *question(const char *text, const char *id)
{
    cJSON *command = cJSON_Parse(text);

    if (!cJSON_IsObject(command)) {
        (void)fprintf(stderr, "riskgate-platform: %s is no JSON object\n", text);
        cJSON_Delete(command);
        return NULL;
    }
    if (!cJSON_HasObjectItem(command, "id"))
        (void)cJSON_AddStringToObject(command, "id", id);
    return command;
}

struct wait {
    const char *topic, *correlation;
    const cJSON *id;
};

/* By MQTT 5 the broker brings our correlation data back; before that the id has to do. */
static bool is_answer(const struct wait *w, const struct session_message *m, const cJSON *reply)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(reply, "id");

    if (strcmp(m->topic, w->topic) != 0)
        return false;
    if (m->correlation)
        return m->correlation_length == strlen(w->correlation) &&
               memcmp(m->correlation, w->correlation, m->correlation_length) == 0;
    return cJSON_IsString(id) && cJSON_IsString(w->id) && strcmp(id->valuestring, w->id->valuestring) == 0;
}

static enum exit_status await_answer(struct session *s, const struct wait *w, int64_t until_ms)
{
    struct session_message m;

    while (now_ms() < until_ms) {
        enum exit_status status;
        cJSON *reply;
        bool mine;

        if (!session_receive(s, 100, &m))
            continue;
        reply = cJSON_ParseWithLength(m.payload, m.length);
        mine = is_answer(w, &m, reply);
        status = true_at(reply, "ok") ? EXIT_HELD : EXIT_BROKEN;
        if (mine)
            (void)printf("%.*s\n", (int)m.length, m.payload);
        cJSON_Delete(reply);
        session_done(&m);
        if (mine)
            return status;
    }
    (void)fputs("riskgate-platform: no answer\n", stderr);
    return EXIT_BROKEN;
}

enum exit_status one_shot(const struct options *o)
{
    struct session *s = session_create(&o->session);
    char command_topic[512], reply_topic[512];
    enum exit_status status = EXIT_NO_BROKER;
    cJSON *command = s ? question(o->ask, session_id(s)) : NULL;
    char *text = command ? cJSON_PrintUnformatted(command) : NULL;
    struct wait wait = {reply_topic, s ? session_id(s) : "", cJSON_GetObjectItemCaseSensitive(command, "id")};

    (void)snprintf(command_topic, sizeof command_topic, "%s/command", o->ask_root);
    if (s && !o->session.v311)
        (void)snprintf(reply_topic, sizeof reply_topic, "%s/reply/%s", o->ask_root, session_id(s));
    else
        (void)snprintf(reply_topic, sizeof reply_topic, "%s/reply", o->ask_root);
    if (!text) {
        status = EXIT_USAGE;
    } else if (!session_connect(s, reply_topic, NULL) ||
               !session_publish(s, command_topic, text, o->session.v311 ? NULL : reply_topic,
                                o->session.v311 ? NULL : wait.correlation)) {
        (void)fprintf(stderr, "riskgate-platform: %s: %s\n", o->session.broker, session_error(s));
    } else {
        status = await_answer(s, &wait, now_ms() + o->timeout_ms);
    }
    cJSON_free(text);
    cJSON_Delete(command);
    session_destroy(s);
    return status;
}
