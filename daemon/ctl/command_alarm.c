/* shelve and unshelve: an operator and one alarm. */
#include <getopt.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/show.h"

static const struct option options[] = {
    {"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
    {"by", required_argument, NULL, 'b'},     {"comment", required_argument, NULL, 'c'},
    {"for", required_argument, NULL, 'f'},    {NULL, 0, NULL, 0},
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
        case 'c':
            a->comment = optarg;
            break;
        case 'f':
            if (text_duration(optarg, for_ms) == RG_OK && *for_ms > 0)
                break;
            (void)fputs("riskgatectl: --for is a duration such as 30m\n", stderr);
            return false;
        default:
            return false;
        }
    }
    a->operands = argv + optind;
    a->operand_count = argc - optind;
    return true;
}

static enum exit_status ask(const struct arguments *a, int64_t for_ms, command_show_cb show)
{
    enum exit_status status;
    struct jsonw request;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", a->command);
    jsonw_key_string(&request, "alarm", a->operands[0]);
    if (for_ms > 0)
        jsonw_key_int(&request, "for_ms", for_ms);
    jsonw_key_string(&request, "by", a->by);
    if (a->comment)
        jsonw_key_string(&request, "comment", a->comment);
    jsonw_object_end(&request);
    status = command_ask(a, &request, show);
    jsonw_free(&request);
    return status;
}

enum exit_status command_shelve(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    int64_t for_ms = 0;

    if (!parse(&own, &for_ms, argc, argv))
        return EXIT_USAGE;
    if (own.operand_count != 1 || !own.by || for_ms == 0) {
        (void)fputs("usage: riskgatectl shelve ALARM --for 30m --by NAME [--comment TEXT]\n"
                    "An alarm is shelved for a time, and somebody answers for it.\n",
                    stderr);
        return EXIT_USAGE;
    }
    return ask(&own, for_ms, show_shelved);
}

enum exit_status command_unshelve(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    int64_t for_ms = 0;

    if (!parse(&own, &for_ms, argc, argv))
        return EXIT_USAGE;
    if (own.operand_count != 1 || !own.by || for_ms > 0) {
        (void)fputs("usage: riskgatectl unshelve ALARM --by NAME [--comment TEXT]\n", stderr);
        return EXIT_USAGE;
    }
    return ask(&own, 0, NULL);
}
