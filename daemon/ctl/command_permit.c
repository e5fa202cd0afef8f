/* permit: work that is allowed for a time, opened and closed by a person. */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "ctl/catalogue.h"
#include "ctl/show.h"

/* Whether what is asked for is whole: an action, and what it needs. Only the list is watched: nothing is opened again and again. */
static bool is_whole(const struct arguments *a)
{
    const char *action = a->operand_count > 0 ? a->operands[0] : "";

    if (strcmp(action, "list") == 0)
        return a->operand_count == 1 && !a->by && a->for_ms == 0;
    if (a->watch_ms > 0)
        return false;
    if (strcmp(action, "open") == 0)
        return a->operand_count == 2 && a->by && a->for_ms > 0;
    return strcmp(action, "close") == 0 && a->operand_count == 2 && a->by && a->for_ms == 0;
}

static enum exit_status run(const struct arguments *a)
{
    enum exit_status status;
    struct jsonw request;

    if (!is_whole(a)) {
        (void)fputs(
            "riskgatectl: a permit is opened with its name, --for and --by, closed with its name and --by, "
            "or they are listed\n",
            stderr);
        return EXIT_USAGE;
    }
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", a->command);
    jsonw_key_string(&request, "action", a->operands[0]);
    if (a->operand_count > 1)
        jsonw_key_string(&request, "permit", a->operands[1]);
    if (a->for_ms > 0)
        jsonw_key_int(&request, "for_ms", a->for_ms);
    if (a->by)
        jsonw_key_string(&request, "by", a->by);
    jsonw_object_end(&request);
    status = command_ask(a, &request, a->operand_count > 1 ? show_permit : show_permits);
    jsonw_free(&request);
    return status;
}

static const struct command_option options[] = {
    {"for", "DURATION", OPTION_FOR, "how long it stays open: 8h", NULL},
    COMMAND_BY,
    COMMAND_WATCH,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_permit = {
    .name = "permit",
    .group = GROUP_DAEMON,
    .synopsis = "open NAME --for DURATION --by NAME\n"
                "close NAME --by NAME\n"
                "list",
    .sentence = "work is allowed for a time: its rules are armed only then",
    .about = "A permit is open for a time, and somebody answers for it.\n",
    .options = options,
    .least = 1,
    .most = 2,
    .completes = "open close list|@permit",
    .run = run,
};
