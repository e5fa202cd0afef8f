/* report and self-test: what is told without anything having happened. */
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "ctl/client.h"
#include "ctl/catalogue.h"
#include "ctl/options.h"
#include "ctl/show.h"

#define REPORT_TIMEOUT_S 300 /* the figures of a month of a large site */
#define TEST_TIMEOUT_S 3700  /* limit is at most an hour */

enum { OPTION_LAST = 1, OPTION_NOW, OPTION_UPLINK };

static const struct command_option report_options[] = {
    {"last", "KIND", OPTION_LAST, "of this kind: daily, monthly", "daily monthly"},
    {"now", NULL, OPTION_NOW, "what the report of the day, or the month, under way would say by now", NULL},
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

static enum exit_status run_report(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    enum exit_status status;
    const char *last = NULL;
    struct jsonw request;
    struct options o;
    bool now = false;
    int code;

    options_begin(&o, &command_report, &own, argc, argv);
    while ((code = options_next(&o)) > 0) {
        if (code == OPTION_LAST)
            last = optarg;
        else
            now = true;
    }
    if (code == OPTIONS_WRONG)
        return EXIT_USAGE;
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "report");
    if (last)
        jsonw_key_string(&request, "last", last);
    if (now)
        jsonw_key_bool(&request, "now", true);
    jsonw_object_end(&request);
    status = command_question(
        &own,
        &(struct command_question){.request = &request, .show = show_report, .timeout_s = REPORT_TIMEOUT_S});
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

static const struct command_option self_test_options[] = {
    {"uplink", "NAME", OPTION_UPLINK, "over this uplink alone (all that are configured)", "@uplink"},
    COMMAND_BY,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

static enum exit_status run_self_test(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    const char *uplink = NULL;
    enum exit_status status;
    struct jsonw request;
    struct options o;
    int code;

    options_begin(&o, &command_self_test, &own, argc, argv);
    while ((code = options_next(&o)) > 0)
        uplink = optarg;
    if (code == OPTIONS_WRONG)
        return EXIT_USAGE;
    if (!own.by) {
        (void)fputs("riskgatectl: self-test needs --by NAME: there is somebody who answers for it\n", stderr);
        return EXIT_USAGE;
    }
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "self_test");
    if (uplink)
        jsonw_key_string(&request, "uplink", uplink);
    jsonw_key_string(&request, "by", own.by);
    jsonw_object_end(&request);
    status = command_question(&own, &(struct command_question){.request = &request,
                                                               .show = show_self_test,
                                                               .judge = came_through,
                                                               .timeout_s = TEST_TIMEOUT_S});
    jsonw_free(&request);
    return status;
}

const struct command command_report = {
    .name = "report",
    .group = GROUP_DAEMON,
    .synopsis = "[--last daily|monthly] [--now]",
    .sentence = "the last report that was made; what the next would say by now",
    .options = report_options,
    .run_own = run_report,
};

const struct command command_self_test = {
    .name = "self-test",
    .group = GROUP_DAEMON,
    .synopsis = "[--uplink NAME] --by NAME",
    .sentence = "send a marked test alarm the whole way now, and wait for it",
    .options = self_test_options,
    .run_own = run_self_test,
};
