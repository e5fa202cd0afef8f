/* riskgatectl's commands: what main.c hands to them, and what they give back. */
#ifndef RG_CTL_COMMAND_H
#define RG_CTL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json;
struct jsonw;

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_REACHABLE = 3 };

#define DEFAULT_SOCKET "/run/riskgate/control.sock"

struct arguments {
    const char *command;
    const char *socket;       /* never NULL: as given, or of the environment, or DEFAULT_SOCKET */
    bool socket_given;        /* on the command line */
    const char *by, *comment; /* or NULL */
    int64_t for_ms;           /* 0: not given */
    bool json;
    char **operands;
    int operand_count;
};

/* ---- without a daemon: command_check.c ---- */
enum exit_status command_check(const struct arguments *a);
enum exit_status command_schema(const struct arguments *a);

/* ---- without a daemon: command_profiles.c ---- */
enum exit_status command_profiles(const struct arguments *a);

/* ---- of the running daemon: command_daemon.c ---- */
enum exit_status command_status(const struct arguments *a);
enum exit_status command_alarms(const struct arguments *a);
enum exit_status command_points(const struct arguments *a);
enum exit_status command_risk(const struct arguments *a);
enum exit_status command_ack(const struct arguments *a);
enum exit_status command_outputs(const struct arguments *a);

typedef void (*command_show_cb)(const struct json *result, FILE *to);
/* Asks the daemon, then shows its answer: as it came with --json, else by show (NULL: nothing is shown). */
enum exit_status command_ask(const struct arguments *a, const struct jsonw *request, command_show_cb show);
/* The same, waiting for so long; judge, when not NULL, says whether what was asked for was done. */
enum exit_status command_ask_within(const struct arguments *a, const struct jsonw *request,
                                    command_show_cb show, bool (*judge)(const struct json *result),
                                    int timeout_s);
/* The same of a->command itself, with what was given: the first operand as `key`, by, comment, for_ms. */
enum exit_status command_ask_of(const struct arguments *a, const char *key, command_show_cb show);

/* ---- of the running daemon: command_explain.c ---- */
enum exit_status command_explain(const struct arguments *a);

/* ---- with options of their own: command_alarm.c, command_output.c, command_permit.c ---- */
enum exit_status command_shelve(const struct arguments *a, int argc, char **argv);
enum exit_status command_unshelve(const struct arguments *a, int argc, char **argv);
enum exit_status command_permit(const struct arguments *a, int argc, char **argv);
enum exit_status command_silence(const struct arguments *a, int argc, char **argv);
enum exit_status command_test(const struct arguments *a, int argc, char **argv);

/* ---- likewise: command_report.c ---- */
enum exit_status command_report(const struct arguments *a, int argc, char **argv);
enum exit_status command_self_test(const struct arguments *a, int argc, char **argv);

/* ---- without a daemon, with options of its own: command_backtest.c ---- */
enum exit_status command_backtest(const struct arguments *a, int argc, char **argv);

/* ---- the same: command_history.c ---- */
enum exit_status command_history(const struct arguments *a, int argc, char **argv);

/* ---- the same: command_audit.c ---- */
enum exit_status command_audit(const struct arguments *a, int argc, char **argv);

/* ---- commissioning: through the daemon, or alone; they have options of their own ---- */
enum exit_status command_probe(const struct arguments *a, int argc, char **argv);
enum exit_status command_write(const struct arguments *a, int argc, char **argv);

#endif
