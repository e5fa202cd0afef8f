/* riskgatectl: the operator's tool. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "config/config.h"
#include "ctl/client.h"
#include "ctl/show.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_REACHABLE = 3 };

#define DEFAULT_SOCKET "/run/riskgate/control.sock"

struct arguments {
    const char *command;
    const char *socket;
    const char *by, *comment;
    bool json;
    char **operands;
    int operand_count;
};

static void usage(FILE *to)
{
    (void)fputs(
        "riskgatectl: looks after riskgated.\n"
        "\n"
        "Without a daemon:\n"
        "  riskgatectl check FILE          check a configuration; every error with its place\n"
        "  riskgatectl schema              print the JSON Schema of the configuration, for editors\n"
        "\n"
        "Of the running daemon:\n"
        "  riskgatectl status              what it does, and what is wrong\n"
        "  riskgatectl alarms              active alarms\n"
        "  riskgatectl points              every point's last reading\n"
        "  riskgatectl risk                the level of every area\n"
        "  riskgatectl ack ALARM --by NAME [--comment TEXT]\n"
        "\n"
        "  --socket PATH   its control socket (" DEFAULT_SOCKET ", or $RISKGATE_SOCKET)\n"
        "  --json          the answer as JSON\n"
        "  --version, --help\n"
        "\n"
        "Exit status: 0 done; 1 failed, or the configuration is invalid; 2 wrong usage; 3 no daemon there.\n",
        to);
}

static enum exit_status check_print_json(const struct config *config)
{
    enum exit_status status = config->site ? EXIT_DONE : EXIT_FAILED;
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    jsonw_key_bool(&w, "valid", config->site != NULL);
    jsonw_key_string(&w, "sha256", config->sha256);
    jsonw_key(&w, "issues");
    jsonw_array_begin(&w);
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        jsonw_object_begin(&w);
        jsonw_key_string(&w, "severity", issue->severity == CONFIG_ERROR ? "error" : "warning");
        jsonw_key_string(&w, "file", issue->file);
        jsonw_key_int(&w, "line", issue->line);
        jsonw_key_int(&w, "column", issue->column);
        jsonw_key_string(&w, "text", issue->text);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    if (jsonw_error(&w) == RG_OK)
        (void)puts(w.text);
    else
        status = EXIT_FAILED;
    jsonw_free(&w);
    return status;
}

static enum exit_status command_check(const struct arguments *a)
{
    struct config *config = NULL;
    enum exit_status status = EXIT_DONE;

    if (config_load(a->operands[0], &config) != RG_OK) {
        (void)fputs("riskgatectl: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    if (a->json) {
        status = check_print_json(config);
    } else {
        config_print(config, stderr);
        if (config->site) {
            (void)printf("%s is valid: %zu buses, %zu devices, %zu points, %zu rules, %zu areas, %zu uplinks",
                         a->operands[0], config->site->bus_count, config->site->device_count,
                         config->site->point_count, config->site->rule_count, config->site->area_count,
                         config->site->uplink_count);
            if (config->warning_count > 0)
                (void)printf("; %zu warnings", config->warning_count);
            (void)putchar('\n');
        } else {
            (void)fprintf(stderr, "%s: %zu errors, %zu warnings\n", a->operands[0], config->error_count,
                          config->warning_count);
            status = EXIT_FAILED;
        }
    }
    config_free(config);
    return status;
}

static enum exit_status command_schema(const struct arguments *a)
{
    (void)a;
    config_write_schema(stdout);
    return EXIT_DONE;
}

static void write_request(const struct arguments *a, struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "command", a->command);
    if (a->operand_count > 0)
        jsonw_key_string(w, "alarm", a->operands[0]);
    if (a->by)
        jsonw_key_string(w, "by", a->by);
    if (a->comment)
        jsonw_key_string(w, "comment", a->comment);
    jsonw_object_end(w);
}

/* Asks the daemon, then shows its answer: as it came with --json (show is NULL then, too, for commands without a table). */
static enum exit_status ask_daemon(const struct arguments *a, void (*show)(const struct json *, FILE *))
{
    struct client_answer answer = {0};
    enum exit_status status = EXIT_DONE;
    struct jsonw request;

    jsonw_init(&request, 0);
    write_request(a, &request);
    if (jsonw_error(&request) == RG_OK)
        client_ask(a->socket, &request, &answer);
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
    client_answer_free(&answer);
    jsonw_free(&request);
    return status;
}

static enum exit_status command_status(const struct arguments *a)
{
    return ask_daemon(a, show_status);
}

static enum exit_status command_alarms(const struct arguments *a)
{
    return ask_daemon(a, show_alarms);
}

static enum exit_status command_points(const struct arguments *a)
{
    return ask_daemon(a, show_points);
}

static enum exit_status command_risk(const struct arguments *a)
{
    return ask_daemon(a, show_risk);
}

static enum exit_status command_ack(const struct arguments *a)
{
    if (!a->by) {
        (void)fputs("riskgatectl: ack needs --by NAME: an acknowledgement has somebody who answers for it\n",
                    stderr);
        return EXIT_USAGE;
    }
    return ask_daemon(a, NULL);
}

static const struct command {
    const char *name;
    int operands;
    enum exit_status (*run)(const struct arguments *a);
} commands[] = {
    {"check", 1, command_check},   {"schema", 0, command_schema}, {"status", 0, command_status},
    {"alarms", 0, command_alarms}, {"points", 0, command_points}, {"risk", 0, command_risk},
    {"ack", 1, command_ack},
};

static enum exit_status dispatch(const struct arguments *a)
{
    for (size_t i = 0; i < RG_COUNT(commands); i++) {
        if (strcmp(commands[i].name, a->command) != 0)
            continue;
        if (a->operand_count != commands[i].operands) {
            usage(stderr);
            return EXIT_USAGE;
        }
        return commands[i].run(a);
    }
    (void)fprintf(stderr, "riskgatectl: there is no command %s\n\n", a->command);
    usage(stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"by", required_argument, NULL, 'b'},
        {"comment", required_argument, NULL, 'c'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *socket = getenv("RISKGATE_SOCKET");
    struct arguments a = {.socket = socket ? socket : DEFAULT_SOCKET};
    int option;

    if (!setlocale(LC_CTYPE, ""))
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            a.socket = optarg;
            break;
        case 'j':
            a.json = true;
            break;
        case 'b':
            a.by = optarg;
            break;
        case 'c':
            a.comment = optarg;
            break;
        case 'v':
            (void)puts("riskgatectl " RG_VERSION);
            return EXIT_DONE;
        case 'h':
            usage(stdout);
            return EXIT_DONE;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind >= argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    a.command = argv[optind];
    a.operands = argv + optind + 1;
    a.operand_count = argc - optind - 1;
    return (int)dispatch(&a);
}
