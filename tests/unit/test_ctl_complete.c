/* LINK rg_ctl */
/* What a half-written command line may go on with; and what --watch draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "ctl/complete.h"
#include "ctl/screen.h"

static const struct command_option options[] = {
    {"kind", "KIND", 1, "", "daily monthly"},
    {"any", "TEXT", 2, "", NULL},
    {"flag", NULL, 3, "", NULL},
    COMMAND_WATCH,
    COMMAND_SOCKET,
    COMMAND_NO_OPTION,
};
static const struct command_option first[] = {COMMAND_SOCKET, COMMAND_JSON, COMMAND_NO_OPTION};

static const struct command before = {.name = "riskgatectl", .options = first};
static const struct command full = {
    .name = "full", .options = options, .most = 2, .completes = "open close|@permit"};
static const struct command bare = {.name = "bare", .options = options};
static const struct command *const all[] = {&full, &bare, NULL};

/* The words, parted by "/", and what is offered: "commands", "options NAME", the kinds; "word" behind them, and the socket. */
static void lines(void **state)
{
    static const struct {
        const char *line, *offered;
    } rows[] = {
        {"", "commands []"},
        {"fu", "commands [fu]"},
        {"-", "options riskgatectl [-]"},
        {"--so", "options riskgatectl [--so]"},
        {"--socket/", "@file []"},
        {"--socket/x/", "commands [] x"},
        {"--socket/=/x/", "commands [] x"},
        {"--socket=x/", "commands [] x"},
        {"--json/fu", "commands [fu]"},
        {"nonsense/", "[]"},
        {"nonsense/--", "[--]"},
        {"full/", "open close []"},
        {"full/o", "open close [o]"},
        {"full/open/", "@permit []"},
        {"full/open/x/", "options full []"},
        {"full/open/x/y", "[y]"},
        {"full/--flag/", "open close []"},
        {"full/--watch/", "open close []"},
        {"full/--watch=3/", "open close []"},
        {"full/--any/text/", "open close []"},
        {"full/--any/te", "[te]"},
        {"full/--any/--kind", "[--kind]"},
        {"full/--kind", "options full [--kind]"},
        {"full/--kind/", "daily monthly []"},
        {"full/--kind/d", "daily monthly [d]"},
        {"full/--kind/=", "daily monthly []"},
        {"full/--kind/=/d", "daily monthly [d]"},
        {"full/--kind=d", "daily monthly [d]"},
        {"full/--unknown/", "open close []"},
        {"full/--/-x", "open close [-x]"},
        {"full/--/open/--flag", "@permit [--flag]"},
        {"bare/", "options bare []"},
        {"bare/x", "[x]"},
        {"bare/--socket/s/--", "options bare [--] s"},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char line[128], offered[128], *words[16];
        struct complete c;
        int count = 0, used;

        (void)snprintf(line, sizeof line, "%s", rows[i].line);
        words[count++] = line;
        for (char *at = line; (at = strchr(at, '/'));) {
            *at++ = '\0';
            words[count++] = at;
        }
        complete_find(all, &before, count, words, &c);
        used = snprintf(offered, sizeof offered, "%s%s%s%.*s%s[%s]%s%s", c.commands ? "commands " : "",
                        c.options ? "options " : "", c.options ? c.options->name : "", (int)c.kinds_length,
                        c.kinds ? c.kinds : "", c.options || c.kinds ? " " : "", c.word, c.socket ? " " : "",
                        c.socket ? c.socket : "");
        assert_true(used > 0);
        if (strcmp(offered, rows[i].offered) != 0)
            fail_msg("%s: %s instead of %s", rows[i].line, offered, rows[i].offered);
    }
}

static void draw_check(const char *text, unsigned rows, bool anew, const char *expected)
{
    char *drawn = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&drawn, &length);

    assert_non_null(to);
    screen_draw(text, rows, anew, to);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(drawn, expected);
    free(drawn);
}

static void frames(void **state)
{
    (void)state;
    draw_check("a\nb\n", 4, true, "\033[H\033[2J\033[?7la\033[K\nb\033[K\n\033[J\033[?7h");
    draw_check("a\n\nb", 4, false, "\033[H\033[?7la\033[K\n\033[K\nb\033[K\n\033[J\033[?7h");
    draw_check(
        "a\nb\nc\nd\n", 4, false,
        "\033[H\033[?7la\033[K\nb\033[K\n\033[0m(2 more lines: a taller window, or without --watch)\033[K\n"
        "\033[J\033[?7h");
    draw_check("", 4, false, "\033[H\033[?7l\033[J\033[?7h");
    draw_check("a\nb\nc\n", 0, false, "\033[H\033[?7la\033[K\nb\033[K\nc\033[K\n\033[J\033[?7h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(frames)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
