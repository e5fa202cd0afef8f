/* report and self-test: what is told without anything having happened. */
#include <getopt.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/show.h"

#define REPORT_TIMEOUT_S 300 /* the figures of a month of a large site */
#define TEST_TIMEOUT_S 3700  /* limit is at most an hour */

static const struct option options[] = {
    {"last", required_argument, NULL, 'l'},
    {"now", no_argument, NULL, 'n'},
    {"uplink", required_argument, NULL, 'u'},
    {"by", required_argument, NULL, 'b'},
    {"socket", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};

struct asked {
    const char *last, *uplink;
    bool now;
};

static bool parse(struct arguments *own, struct asked *asked, int argc, char **argv)
{
    int option;

    optind = 0; /* getopt begins anew */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l')
            asked->last = optarg;
        else if (option == 'n')
            asked->now = true;
        else if (option == 'u')
            asked->uplink = optarg;
        else if (option == 'b')
            own->by = optarg;
        else if (option == 's')
            own->socket = optarg;
        else if (option == 'j')
            own->json = true;
        else
            return false;
    }
    return optind == argc;
}

enum exit_status command_report(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    struct asked asked = {.last = NULL};
    enum exit_status status;
    struct jsonw request;

    if (!parse(&own, &asked, argc, argv) || asked.uplink || own.by) {
        (void)fputs(
            "usage: riskgatectl report [--last daily|monthly] [--now] [--json]\n"
            "The last report that was made; with --now what the one of the day, or the month, under way\n"
            "would say by now.\n",
            stderr);
        return EXIT_USAGE;
    }
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "report");
    if (asked.last)
        jsonw_key_string(&request, "last", asked.last);
    if (asked.now)
        jsonw_key_bool(&request, "now", true);
    jsonw_object_end(&request);
    status = command_ask_within(&own, &request, show_report, NULL, REPORT_TIMEOUT_S);
    jsonw_free(&request);
    return status;
}

static bool came_through(const struct json *result)
{
    for (const struct json *u = json_first(result); u; u = json_next(u)) {
        if (!json_bool(json_get(u, "ok"), false))
            return false;
    }
    return true;
}

enum exit_status command_self_test(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    struct asked asked = {.last = NULL};
    enum exit_status status;
    struct jsonw request;

    if (!parse(&own, &asked, argc, argv) || asked.last || asked.now || !own.by) {
        (void)fputs("usage: riskgatectl self-test [--uplink NAME] --by NAME [--json]\n"
                    "Sends a marked test alarm the whole way now, and waits for it.\n",
                    stderr);
        return EXIT_USAGE;
    }
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "self_test");
    if (asked.uplink)
        jsonw_key_string(&request, "uplink", asked.uplink);
    jsonw_key_string(&request, "by", own.by);
    jsonw_object_end(&request);
    status = command_ask_within(&own, &request, show_self_test, came_through, TEST_TIMEOUT_S);
    jsonw_free(&request);
    return status;
}
