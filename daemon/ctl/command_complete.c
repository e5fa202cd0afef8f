/* complete: what the shell offers. Not for people: completion/riskgatectl.bash calls it with the words behind the program's name. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "config/profile.h"
#include "ctl/catalogue.h"
#include "ctl/client.h"
#include "ctl/complete.h"

#define TIMEOUT_S 2 /* somebody waits for it with a key pressed */

static void offer(const struct complete *c, const char *text)
{
    if (text && strncmp(text, c->word, strlen(c->word)) == 0)
        (void)puts(text);
}

/* Names of the running daemon: the command that tells them, in which member of its answer, and how a name is called there. */
static const struct name_kind {
    const char *kind, *command, *list, *key;
} name_kinds[] = {
    {"@alarm", "alarms", NULL, "alarm"},        {"@point", "points", NULL, "point"},
    {"@device", "status", "devices", "name"},   {"@bus", "status", "buses", "name"},
    {"@output", "status", "outputs", "name"},   {"@uplink", "status", "uplinks", "name"},
    {"@permit", "status", "permits", "permit"},
};

/* Nobody there, or not for us: nothing is offered, and nothing said into the line that is being written. */
static void offer_names(const struct complete *c, const char *socket, const struct name_kind *kind)
{
    struct client_answer answer;
    struct jsonw request;
    const struct json *list;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", kind->command);
    jsonw_object_end(&request);
    client_ask(socket, &request, TIMEOUT_S, &answer);
    jsonw_free(&request);
    list = json_get(answer.answer, "result");
    if (kind->list)
        list = json_get(list, kind->list);
    for (const struct json *one = json_first(list); one; one = json_next(one))
        offer(c, json_string(json_get(one, kind->key)));
    client_answer_free(&answer);
}

static void offer_profiles(const struct complete *c)
{
    char folder[PATH_MAX];
    struct profile_list list;

    profile_folder(folder, sizeof folder);
    if (profile_list(folder, &list) != RG_OK)
        return;
    for (size_t i = 0; i < list.count; i++)
        offer(c, list.names[i]);
    profile_list_free(&list);
}

static void offer_kind(const struct complete *c, const char *socket, const char *kind)
{
    if (strcmp(kind, COMPLETES_FILE) == 0)
        (void)puts(COMPLETES_FILE);
    else if (strcmp(kind, COMPLETES_PROFILE) == 0)
        offer_profiles(c);
    else if (kind[0] != '@')
        offer(c, kind);
    for (size_t i = 0; i < RG_COUNT(name_kinds); i++) {
        if (strcmp(kind, name_kinds[i].kind) == 0)
            offer_names(c, socket, &name_kinds[i]);
    }
}

static void offer_options(const struct complete *c)
{
    char text[64];

    for (const struct command_option *o = c->options->options; o && o->name; o++) {
        if (text_format(text, sizeof text, "--%s", o->name))
            offer(c, text);
    }
    if (c->options != &catalogue_before) /* which has it in its list */
        offer(c, "--help");
}

static enum exit_status run(const struct arguments *a, int argc, char **argv)
{
    struct complete c;
    const char *rest;

    if (argc < 2)
        return EXIT_USAGE;
    complete_find(catalogue, &catalogue_before, argc - 1, argv + 1, &c);
    for (size_t i = 0; c.commands && catalogue[i]; i++) {
        if (catalogue[i]->group != GROUP_HIDDEN)
            offer(&c, catalogue[i]->name);
    }
    if (c.options)
        offer_options(&c);
    rest = c.kinds ? c.kinds : "";
    for (const char *end = rest + c.kinds_length; rest < end;) {
        char kind[64];
        const size_t length = strcspn(rest, " |");

        if (text_format(kind, sizeof kind, "%.*s", (int)length, rest) && kind[0])
            offer_kind(&c, c.socket ? c.socket : a->socket, kind);
        rest += length + 1;
    }
    return EXIT_DONE;
}

const struct command command_complete = {
    .name = "complete",
    .group = GROUP_HIDDEN,
    .synopsis = "WORD...",
    .sentence = "what the shell offers for a half-written line",
    .most = 1,
    .run_own = run,
};
