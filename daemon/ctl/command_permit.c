/* permit: work that is allowed for a time, opened and closed by a person. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/show.h"

static const struct option options[] = {
    {"socket", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {"by", required_argument, NULL, 'b'},
    {"for", required_argument, NULL, 'f'},
    {NULL, 0, NULL, 0},
};

static bool parse(struct arguments *a, int64_t *for_ms, int argc, char **argv)
{
    int option;

    optind = 0; /* getopt begins anew */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            a->socket = optarg;
            break;
        case 'j':
            a->json = true;
            break;
        case 'b':
            a->by = optarg;
            break;
        case 'f':
            if (text_duration(optarg, for_ms) == RG_OK && *for_ms > 0)
                break;
            (void)fputs("riskgatectl: --for is a duration such as 8h\n", stderr);
            return false;
        default:
            return false;
        }
    }
    a->operands = argv + optind;
    a->operand_count = argc - optind;
    return true;
}

/* Whether what is asked for is whole: an action, and what it needs. */
static bool is_whole(const struct arguments *a, int64_t for_ms)
{
    const char *action = a->operand_count > 0 ? a->operands[0] : "";

    if (strcmp(action, "list") == 0)
        return a->operand_count == 1 && !a->by && for_ms == 0;
    if (strcmp(action, "open") == 0)
        return a->operand_count == 2 && a->by && for_ms > 0;
    return strcmp(action, "close") == 0 && a->operand_count == 2 && a->by && for_ms == 0;
}

enum exit_status command_permit(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    enum exit_status status;
    struct jsonw request;
    int64_t for_ms = 0;

    if (!parse(&own, &for_ms, argc, argv))
        return EXIT_USAGE;
    if (!is_whole(&own, for_ms)) {
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
    if (for_ms > 0)
        jsonw_key_int(&request, "for_ms", for_ms);
    if (own.by)
        jsonw_key_string(&request, "by", own.by);
    jsonw_object_end(&request);
    status = command_ask(&own, &request, own.operand_count > 1 ? show_permit : show_permits);
    jsonw_free(&request);
    return status;
}
