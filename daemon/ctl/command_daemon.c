/* Commands that are one question to the running daemon. */
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "ctl/client.h"
#include "ctl/catalogue.h"
#include "ctl/show.h"
#include "ctl/watch.h"

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

/* {"ok":true,"result":X}: X as the daemon wrote it, and behind its own members those that more adds. */
static enum exit_status print_result(const struct command_question *q, const struct client_answer *answer,
                                     FILE *out)
{
    static const char head[] = "{\"ok\":true,\"result\":";
    const size_t length = strlen(answer->text);
    const char *result = answer->text + sizeof head - 1;
    enum exit_status status = EXIT_DONE;
    struct jsonw more;
    int used;

    if (strncmp(answer->text, head, sizeof head - 1) != 0 || length <= sizeof head)
        return EXIT_FAILED;
    used = (int)(length - sizeof head);
    if (!q->more || used < 2 || result[used - 1] != '}') {
        (void)fprintf(out, "%.*s\n", used, result);
        return EXIT_DONE;
    }
    jsonw_init(&more, 0);
    jsonw_object_begin(&more);
    q->more(json_get(answer->answer, "result"), &more);
    jsonw_object_end(&more);
    if (jsonw_error(&more) == RG_OK)
        (void)fprintf(out, "%.*s,%s\n", used - 1, result, more.text + 1);
    else
        status = EXIT_FAILED;
    jsonw_free(&more);
    return status;
}

struct asking {
    const struct arguments *a;
    const struct command_question *q;
};

static enum exit_status ask_cb(void *arg, FILE *out, FILE *err)
{
    const struct asking *asking = arg;
    const struct command_question *q = asking->q;
    struct client_answer answer = {0};
    enum exit_status status = EXIT_DONE;

    if (jsonw_error(q->request) == RG_OK)
        client_ask(asking->a->socket, q->request, q->timeout_s > 0 ? q->timeout_s : CLIENT_TIMEOUT_S,
                   &answer);
    else
        (void)strcpy(answer.problem, "out of memory");
    if (answer.problem[0]) {
        (void)fprintf(err, "riskgatectl: %s\n", answer.problem);
        status = answer.reached ? EXIT_FAILED : EXIT_NOT_REACHABLE;
    } else if (asking->a->json) {
        status = print_result(q, &answer, out);
    } else if (q->show) {
        q->show(json_get(answer.answer, "result"), out);
    }
    if (status == EXIT_DONE && q->judge && !q->judge(json_get(answer.answer, "result")))
        status = EXIT_FAILED;
    client_answer_free(&answer);
    return status;
}

enum exit_status command_question(const struct arguments *a, const struct command_question *q)
{
    struct asking asking = {a, q};

    return a->watch_ms > 0 ? watch_run(a, ask_cb, &asking) : ask_cb(&asking, stdout, stderr);
}

enum exit_status command_ask(const struct arguments *a, const struct jsonw *request, command_show_cb show)
{
    return command_question(a, &(struct command_question){.request = request, .show = show});
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
