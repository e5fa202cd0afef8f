/* LINK rg_ctl */
/* What is given on riskgatectl's command line, and what its --help says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ctl/options.h"

enum { OPTION_OWN = 1, OPTION_FLAG };

static const struct command_option options[] = {
    {"own", "NAME", OPTION_OWN, "its own", NULL},
    {"flag", NULL, OPTION_FLAG, "two\nlines", NULL},
    {"for", "DURATION", OPTION_FOR, "how long", NULL},
    COMMAND_BY,
    COMMAND_COMMENT,
    COMMAND_WATCH,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};
static const struct command_option few[] = {COMMAND_JSON, COMMAND_NO_OPTION};

static const struct command all = {.name = "x",
                                   .synopsis = "A --by NAME\nB",
                                   .sentence = "does things",
                                   .about = "More.\n",
                                   .options = options,
                                   .most = 3};
static const struct command one = {
    .name = "x", .synopsis = "A", .sentence = "does it", .options = few, .least = 1, .most = 1};

/* What is given, and what comes of it: "own flags by/comment/for/watch socket json: operands", or "wrong". */
static void given(void **state)
{
    static const struct {
        const struct command *command;
        bool first;
        const char *line, *outcome;
    } rows[] = {
        {&all, false, "x", "- 0 -/-/7/0 std 0:"},
        {&all, false, "x A", "- 0 -/-/7/0 std 0: A"},
        {&all, false, "x A --for 30m B --by Li C --comment seen", "- 0 Li/seen/1800000/0 std 0: A B C"},
        {&all, false, "x --socket=/s --json --by=", "- 0 /-/7/0 /s 1:"},
        {&all, false, "x --by Li --by Wu --own me --flag --flag", "me 2 Wu/-/7/0 std 0:"},
        {&all, false, "x --by Li -- --for A", "- 0 Li/-/7/0 std 0: --for A"},
        {&all, false, "x A - --json", "- 0 -/-/7/0 std 1: A -"},
        {&all, false, "x --watch", "- 0 -/-/7/2000 std 0:"},
        {&all, false, "x --watch 5 A", "- 0 -/-/7/5000 std 0: A"},
        {&all, false, "x A B --watch 0.5 C", "- 0 -/-/7/500 std 0: A B C"},
        {&all, false, "x --watch=5 6", "- 0 -/-/7/5000 std 0: 6"},
        {&all, false, "x --watch A --json", "- 0 -/-/7/2000 std 1: A"},
        {&all, false, "x --watch=A", "wrong"},
        {&all, false, "x --watch=0", "wrong"},
        {&all, false, "x --for 0s", "wrong"},
        {&all, false, "x --for -5m", "wrong"},
        {&all, false, "x --for 30", "wrong"},
        {&all, false, "x --for 99999999999999999999h", "wrong"},
        {&all, false, "x --for", "wrong"},
        {&all, false, "x --json=1", "wrong"},
        {&all, false, "x --nothing", "wrong"},
        {&all, false, "x -j", "wrong"},
        {&all, false, "x A B C D", "wrong"},
        {&all, true, "x --by Li A --by Wu --nothing", "- 0 Li/-/7/0 std 0: A --by Wu --nothing"},
        {&all, true, "x A B C D", "- 0 -/-/7/0 std 0: A B C D"},
        {&one, false, "x A --json", "- 0 -/-/7/0 std 1: A"},
        {&one, false, "x", "wrong"},
        {&one, false, "x A B", "wrong"},
        {&one, false, "x A --by Li", "wrong"},
        {&one, false, "x A --watch", "wrong"},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct arguments a = {.socket = "std", .for_ms = 7};
        char line[128], outcome[256], *argv[16] = {NULL}, *rest = NULL;
        const char *own = "-";
        struct options o;
        int argc = 0, flags = 0, code, used;

        assert_true(text_copy(line, sizeof line, rows[i].line));
        for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
            argv[argc++] = word;
        options_begin(&o, rows[i].command, &a, argc, argv);
        o.first = rows[i].first;
        while ((code = options_next(&o)) > 0) {
            if (code == OPTION_OWN)
                own = optarg;
            else
                flags++;
        }
        used = snprintf(outcome, sizeof outcome, "wrong");
        if (code == OPTIONS_END) {
            assert_int_equal(a.socket_given, strcmp(a.socket, "std") != 0);
            used = snprintf(outcome, sizeof outcome, "%s %d %s/%s/%lld/%lld %s %d:", own, flags,
                            a.by ? a.by : "-", a.comment ? a.comment : "-", (long long)a.for_ms,
                            (long long)a.watch_ms, a.socket, a.json);
            for (int k = 0; k < a.operand_count; k++)
                used += snprintf(outcome + used, sizeof outcome - (size_t)used, " %s", a.operands[k]);
        }
        if (strcmp(outcome, rows[i].outcome) != 0)
            fail_msg("%s\n  want %s\n  got  %s", rows[i].line, rows[i].outcome, outcome);
    }
}

static void help(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);

    (void)state;
    assert_non_null(to);
    options_help(&all, to);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text,
                        "usage: riskgatectl x A --by NAME\n"
                        "       riskgatectl x B\n"
                        "\n"
                        "Does things.\n"
                        "\n"
                        "More.\n"
                        "\n"
                        "Options:\n"
                        "  --own NAME          its own\n"
                        "  --flag              two\n"
                        "                      lines\n"
                        "  --for DURATION      how long\n"
                        "  --by NAME           who answers for it; it is recorded\n"
                        "  --comment TEXT      recorded with it\n"
                        "  --watch [SECONDS]   again and again, every 2 seconds or as given, until Ctrl-C\n"
                        "  --socket PATH       the daemon's control socket (/run/riskgate/control.sock, or "
                        "$RISKGATE_SOCKET)\n"
                        "  --json              the answer as JSON\n"
                        "  --help              this text\n"
                        "\n"
                        "Exit status: 0 done; 1 failed; 2 wrong usage; 3 no daemon there.\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(given), cmocka_unit_test(help)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
