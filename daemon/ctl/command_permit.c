/* permit: work that is allowed for a time, opened and closed by a person. */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "ctl/command.h"
#include "ctl/parse.h"
#include "ctl/show.h"

static const struct parse_wanted wanted = {.options = PARSE_BY | PARSE_FOR, .for_example = "8h"};

/* Whether what is asked for is whole: an action, and what it needs. */
static bool is_whole(const struct arguments *a)
{
    const char *action = a->operand_count > 0 ? a->operands[0] : "";

    if (strcmp(action, "list") == 0)
        return a->operand_count == 1 && !a->by && a->for_ms == 0;
    if (strcmp(action, "open") == 0)
        return a->operand_count == 2 && a->by && a->for_ms > 0;
    return strcmp(action, "close") == 0 && a->operand_count == 2 && a->by && a->for_ms == 0;
}

enum exit_status command_permit(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    enum exit_status status;
    struct jsonw request;

    if (parse_options(&wanted, argc, argv, &own) != PARSED_GO_ON)
        return EXIT_USAGE;
    if (!is_whole(&own)) {
        (void)fputs("usage: riskgatectl permit open NAME --for 8h --by NAME\n"
                    "       riskgatectl permit close NAME --by NAME\n"
                    "       riskgatectl permit list\n"
                    "A permit is open for a time, and somebody answers for it.\n",
                    stderr);
        return EXIT_USAGE;
    }
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", own.command);
    jsonw_key_string(&request, "action", own.operands[0]);
    if (own.operand_count > 1)
        jsonw_key_string(&request, "permit", own.operands[1]);
    if (own.for_ms > 0)
        jsonw_key_int(&request, "for_ms", own.for_ms);
    if (own.by)
        jsonw_key_string(&request, "by", own.by);
    jsonw_object_end(&request);
    status = command_ask(&own, &request, own.operand_count > 1 ? show_permit : show_permits);
    jsonw_free(&request);
    return status;
}
