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
    int64_t watch_ms;         /* 0: once; else asked again and again, so long apart */
    bool json;
    char **operands;
    int operand_count;
};

/* An option of a command: what is parsed, what its --help says and what is completed come from the same row. */
struct command_option {
    const char *name;     /* without its dashes; NULL ends a list */
    const char *argument; /* as the help names it, "DB"; with "[" before it it may be left out; NULL: none */
    int code;         /* what options_next gives: above 0, of the command's own; or one of enum option_code */
    const char *text; /* one sentence, or more; lines end with \n */
    const char *completes; /* what may stand there, see below; NULL: anything */
};

/* Options that are the same everywhere: options_next takes them into struct arguments itself. */
enum option_code {
    OPTION_SOCKET = 2000,
    OPTION_JSON,
    OPTION_WATCH,
    OPTION_BY,
    OPTION_COMMENT,
    OPTION_FOR, /* a duration above 0 */
};
#define COMMAND_SOCKET                                                                                       \
    {                                                                                                        \
        "socket", "PATH", OPTION_SOCKET,                                                                     \
            "the daemon's control socket (" DEFAULT_SOCKET ", or $RISKGATE_SOCKET)", COMPLETES_FILE          \
    }
#define COMMAND_JSON                                                                                         \
    {                                                                                                        \
        "json", NULL, OPTION_JSON, "the answer as JSON", NULL                                                \
    }
#define COMMAND_WATCH                                                                                        \
    {                                                                                                        \
        "watch", "[SECONDS]", OPTION_WATCH, "again and again, every 2 seconds or as given, until Ctrl-C",    \
            NULL                                                                                             \
    }
#define COMMAND_BY                                                                                           \
    {                                                                                                        \
        "by", "NAME", OPTION_BY, "who answers for it; it is recorded", NULL                                  \
    }
#define COMMAND_COMMENT                                                                                      \
    {                                                                                                        \
        "comment", "TEXT", OPTION_COMMENT, "recorded with it", NULL                                          \
    }
#define COMMAND_NO_OPTION                                                                                    \
    {                                                                                                        \
        NULL, NULL, 0, NULL, NULL                                                                            \
    }

/* What an argument is completed with: words between spaces, or one of these. "@..." are names of the running daemon; several may stand
 * behind each other ("@alarm @point"). */
#define COMPLETES_FILE "@file"
#define COMPLETES_PROFILE "@profile"

enum command_group { GROUP_OFFLINE, GROUP_DAEMON, GROUP_LINE, GROUP_HIDDEN };

/* A command: a row of the table in catalogue.c. */
struct command {
    const char *name;
    enum command_group group;
    const char *synopsis; /* what stands behind its name; one form a line; "" when nothing must */
    const char *sentence; /* what it does, in one line; no full stop */
    const char *about;    /* more of it, for its --help; lines end with \n; or NULL */
    const struct command_option *options;
    int least, most; /* operands */
    const char
        *completes; /* its operands, as of an option's argument: of each place, parted by "|"; or NULL */
    /* One of the two. run: options and operands have been taken. run_own: it takes them by itself, with options_next. What they
     * end with goes to the shell; EXIT_USAGE: they have told what is wrong, and the usage is told behind it. */
    enum exit_status (*run)(const struct arguments *a);
    enum exit_status (*run_own)(const struct arguments *a, int argc, char **argv);
};

/* ---- what commands that ask the daemon share: command_daemon.c ---- */
typedef void (*command_show_cb)(const struct json *result, FILE *to);
/* A question to the daemon, and what becomes of its answer. */
struct command_question {
    const struct jsonw *request;
    command_show_cb show;                     /* for people; NULL: nothing is shown */
    bool (*judge)(const struct json *result); /* whether what was asked for was done; NULL: it was */
    void (*more)(const struct json *result, struct jsonw *w); /* further members for --json; or NULL */
    int timeout_s;                                            /* 0: CLIENT_TIMEOUT_S */
};
/* Asks once, or with --watch again and again. --json: the answer as it came. */
enum exit_status command_question(const struct arguments *a, const struct command_question *q);
/* With all that may be left out left out. */
enum exit_status command_ask(const struct arguments *a, const struct jsonw *request, command_show_cb show);
/* The same of a->command itself, with what was given: the first operand as `key`, by, comment, for_ms. */
enum exit_status command_ask_of(const struct arguments *a, const char *key, command_show_cb show);

#endif
