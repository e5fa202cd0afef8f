#include "uplink/paho_command.h"

#include <stdlib.h>
#include <string.h>

struct command *command_new(enum command_kind kind, uint32_t generation, const char *topic,
                            const char *payload, size_t length, const char *password)
{
    const size_t topic_size = topic ? strlen(topic) + 1 : 0;
    const size_t password_size = password ? strlen(password) + 1 : 0;
    struct command *c = calloc(1, sizeof(*c) + topic_size + password_size + length);

    if (!c)
        return NULL;
    c->kind = kind;
    c->generation = generation;
    c->length = length;
    c->payload = c->text + topic_size + password_size;
    if (topic)
        c->topic = memcpy(c->text, topic, topic_size);
    if (password)
        c->password = memcpy(c->text + topic_size, password, password_size);
    if (length > 0)
        memcpy(c->payload, payload, length);
    return c;
}

bool command_answer(struct command *command, const struct transport_answer *answer)
{
    void *copy = NULL;

    if (!answer || !answer->correlation || answer->length == 0)
        return true;
    copy = malloc(answer->length);
    if (!copy)
        return false;
    memcpy(copy, answer->correlation, answer->length);
    command->answer = (struct transport_answer){.correlation = copy, .length = answer->length};
    return true;
}

void command_free(struct command *command)
{
    if (!command)
        return;
    if (command->password)
        explicit_bzero(command->password, strlen(command->password));
    free((void *)(uintptr_t)command->answer.correlation);
    free(command);
}
