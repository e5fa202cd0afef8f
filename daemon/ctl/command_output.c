/* silence and test: an operator at the sounders. */
#include <getopt.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "ctl/command.h"

#define TEST_STANDARD_MS 10000

static const struct option options[] = {
    {"socket", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {"by", required_argument, NULL, 'b'},
    {"for", required_argument, NULL, 'f'},
    {NULL, 0, NULL, 0},
};

/* What is said after the command's name; for_ms: 0 when it may not be said. */
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
            if (*for_ms > 0 && text_duration(optarg, for_ms) == RG_OK && *for_ms > 0)
                break;
            (void)fprintf(stderr, "riskgatectl: %s\n",
                          *for_ms > 0 ? "--for is a duration such as 10s"
                                      : "silence lasts until the next announcement");
            return false;
        default:
            return false;
        }
    }
    a->operands = argv + optind;
    a->operand_count = argc - optind;
    if (a->by)
        return true;
    (void)fprintf(stderr, "riskgatectl: %s needs --by NAME: there is somebody who answers for it\n",
                  a->command);
    return false;
}

static enum exit_status ask(const struct arguments *a, int64_t for_ms, command_show_cb show)
{
    enum exit_status status;
    struct jsonw request;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", a->command);
    if (a->operand_count > 0)
        jsonw_key_string(&request, "output", a->operands[0]);
    if (for_ms > 0)
        jsonw_key_int(&request, "for_ms", for_ms);
    jsonw_key_string(&request, "by", a->by);
    jsonw_object_end(&request);
    status = command_ask(a, &request, show);
    jsonw_free(&request);
    return status;
}

static void show_silenced(const struct json *result, FILE *to)
{
    if (!json_first(result))
        (void)fputs("nothing that may be silenced is on\n", to);
    for (const struct json *name = json_first(result); name; name = json_next(name))
        (void)fprintf(to, "%s silenced until the next announcement\n", json_string(name));
}

enum exit_status command_silence(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    int64_t for_ms = 0;

    if (!parse(&own, &for_ms, argc, argv))
        return EXIT_USAGE;
    if (own.operand_count > 1) {
        (void)fputs("usage: riskgatectl silence [OUTPUT] --by NAME\n", stderr);
        return EXIT_USAGE;
    }
    return ask(&own, 0, show_silenced);
}

enum exit_status command_test(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    int64_t for_ms = TEST_STANDARD_MS;

    if (!parse(&own, &for_ms, argc, argv))
        return EXIT_USAGE;
    if (own.operand_count != 1) {
        (void)fputs("usage: riskgatectl test OUTPUT [--for 10s] --by NAME\n", stderr);
        return EXIT_USAGE;
    }
    return ask(&own, for_ms, NULL);
}
