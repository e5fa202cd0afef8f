/* Commands that are one question to the running daemon. */
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "ctl/client.h"
#include "ctl/catalogue.h"
#include "ctl/show.h"

static void write_request(const struct arguments *a, const char *key, struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "command", a->command);
    if (a->operand_count > 0)
        jsonw_key_string(w, key, a->operands[0]);
    if (a->for_ms > 0)
        jsonw_key_int(w, "for_ms", a->for_ms);
    if (a->by)
        jsonw_key_string(w, "by", a->by);
    if (a->comment)
        jsonw_key_string(w, "comment", a->comment);
    jsonw_object_end(w);
}

enum exit_status command_ask(const struct arguments *a, const struct jsonw *request, command_show_cb show)
{
    return command_ask_within(a, request, show, NULL, CLIENT_TIMEOUT_S);
}

enum exit_status command_ask_within(const struct arguments *a, const struct jsonw *request,
                                    command_show_cb show, bool (*judge)(const struct json *result),
                                    int timeout_s)
{
    struct client_answer answer = {0};
    enum exit_status status = EXIT_DONE;

    if (jsonw_error(request) == RG_OK)
        client_ask(a->socket, request, timeout_s, &answer);
    else
        (void)strcpy(answer.problem, "out of memory");
    if (answer.problem[0]) {
        (void)fprintf(stderr, "riskgatectl: %s\n", answer.problem);
        status = answer.reached ? EXIT_FAILED : EXIT_NOT_REACHABLE;
    } else if (a->json) {
        /* {"ok":true,"result":X}: X as the daemon wrote it. */
        static const char head[] = "{\"ok\":true,\"result\":";
        size_t length = strlen(answer.text);

        if (strncmp(answer.text, head, sizeof head - 1) == 0 && length > sizeof head)
            (void)printf("%.*s\n", (int)(length - sizeof head), answer.text + sizeof head - 1);
        else
            status = EXIT_FAILED;
    } else if (show) {
        show(json_get(answer.answer, "result"), stdout);
    }
    if (status == EXIT_DONE && judge && !judge(json_get(answer.answer, "result")))
        status = EXIT_FAILED;
    client_answer_free(&answer);
    return status;
}

enum exit_status command_ask_of(const struct arguments *a, const char *key, command_show_cb show)
{
    enum exit_status status;
    struct jsonw request;

    jsonw_init(&request, 0);
    write_request(a, key, &request);
    status = command_ask(a, &request, show);
    jsonw_free(&request);
    return status;
}

/* ---- the commands ---- */

static enum exit_status run_status(const struct arguments *a)
{
    return command_ask_of(a, "alarm", show_status);
}

static enum exit_status run_alarms(const struct arguments *a)
{
    return command_ask_of(a, "alarm", show_alarms);
}

static enum exit_status run_points(const struct arguments *a)
{
    return command_ask_of(a, "alarm", show_points);
}

static enum exit_status run_risk(const struct arguments *a)
{
    return command_ask_of(a, "alarm", show_risk);
}

static enum exit_status run_outputs(const struct arguments *a)
{
    return command_ask_of(a, "alarm", show_outputs);
}

/* As it came: a text that programs read. */
static void show_text(const struct json *result, FILE *to)
{
    const char *text = json_string(result);

    (void)fputs(text ? text : "", to);
}

static enum exit_status run_metrics(const struct arguments *a)
{
    return command_ask_of(a, "alarm", show_text);
}

static const struct command_option options[] = {
    COMMAND_WATCH,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_status = {
    .name = "status",
    .group = GROUP_DAEMON,
    .synopsis = "",
    .sentence = "what it does, and what is wrong",
    .options = options,
    .run = run_status,
};

const struct command command_alarms = {
    .name = "alarms",
    .group = GROUP_DAEMON,
    .synopsis = "",
    .sentence = "active alarms",
    .options = options,
    .run = run_alarms,
};

const struct command command_points = {
    .name = "points",
    .group = GROUP_DAEMON,
    .synopsis = "",
    .sentence = "every point's last reading",
    .options = options,
    .run = run_points,
};

const struct command command_risk = {
    .name = "risk",
    .group = GROUP_DAEMON,
    .synopsis = "",
    .sentence = "the level of every area",
    .options = options,
    .run = run_risk,
};

static const struct command_option metrics_options[] = {
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_metrics = {
    .name = "metrics",
    .group = GROUP_DAEMON,
    .synopsis = "",
    .sentence = "every figure of status as OpenMetrics",
    .options = metrics_options,
    .run = run_metrics,
};

const struct command command_outputs = {
    .name = "outputs",
    .group = GROUP_DAEMON,
    .synopsis = "",
    .sentence = "what is switched, and whether it is as it shall be",
    .options = options,
    .run = run_outputs,
};
