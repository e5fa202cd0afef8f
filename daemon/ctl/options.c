#include "ctl/options.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "ctl/parse.h"

#define WATCH_STANDARD_MS 2000
#define HELP_COLUMN 22 /* where the text of an option begins */

void options_begin(struct options *o, const struct command *command, struct arguments *a, int argc,
                   char **argv)
{
    size_t count = 0;

    memset(o, 0, sizeof *o);
    o->command = command;
    o->a = a;
    o->argc = argc;
    o->argv = argv;
    for (const struct command_option *c = command->options; c && c->name && count < OPTIONS_MAX; c++) {
        int argument = !c->argument            ? no_argument
                       : c->argument[0] == '[' ? optional_argument
                                               : required_argument;

        o->known[count++] = (struct option){c->name, argument, NULL, c->code};
    }
    optind = 0; /* getopt begins anew */
}

static bool take_for(const char *text, int64_t *out)
{
    if (text_duration(text, out) == RG_OK && *out > 0)
        return true;
    (void)fprintf(stderr, "riskgatectl: --for takes a duration such as 30m, 90s or 8h, not `%s`\n", text);
    return false;
}

/* Also with a blank before its seconds, which getopt does not know of an argument that may be left out. */
static bool take_watch(const struct options *o, const char *text, int64_t *out)
{
    if (!text && optind < o->argc && parse_seconds(o->argv[optind], out)) {
        optind++;
        return true;
    }
    if (!text) {
        *out = WATCH_STANDARD_MS;
        return true;
    }
    if (parse_seconds(text, out))
        return true;
    (void)fprintf(stderr, "riskgatectl: --watch takes seconds, 0.1 to 3600, not `%s`\n", text);
    return false;
}

/* False: it is not one of those that are the same everywhere. *good: it was taken. */
static bool take_common(const struct options *o, int code, bool *good)
{
    struct arguments *a = o->a;

    *good = true;
    switch ((enum option_code)code) {
    case OPTION_SOCKET:
        a->socket = optarg;
        a->socket_given = true;
        return true;
    case OPTION_JSON:
        a->json = true;
        return true;
    case OPTION_WATCH:
        *good = take_watch(o, optarg, &a->watch_ms);
        return true;
    case OPTION_BY:
        a->by = optarg;
        return true;
    case OPTION_COMMENT:
        a->comment = optarg;
        return true;
    case OPTION_FOR:
        *good = take_for(optarg, &a->for_ms);
        return true;
    }
    return false;
}

static bool count_is_right(const struct options *o)
{
    const int count = o->argc - optind;

    if (o->first || (count >= o->command->least && count <= o->command->most))
        return true;
    if (count > o->command->most)
        (void)fprintf(stderr, "riskgatectl: %s does not take `%s`\n", o->command->name,
                      o->argv[optind + o->command->most]);
    else
        (void)fprintf(stderr, "riskgatectl: %s needs more to be said\n", o->command->name);
    return false;
}

int options_next(struct options *o)
{
    int code;
    bool good;

    while ((code = getopt_long(o->argc, o->argv, o->first ? "+" : "", o->known, NULL)) != -1) {
        if (code == '?')
            return OPTIONS_WRONG; /* getopt has told */
        if (!take_common(o, code, &good))
            return code;
        if (!good)
            return OPTIONS_WRONG;
    }
    o->a->operands = o->argv + optind;
    o->a->operand_count = o->argc - optind;
    return count_is_right(o) ? OPTIONS_END : OPTIONS_WRONG;
}

bool options_take(const struct command *command, struct arguments *a, int argc, char **argv)
{
    struct options o;

    options_begin(&o, command, a, argc, argv);
    return options_next(&o) == OPTIONS_END;
}

/* ---- help ---- */

/* Each line of text behind as many blanks; the first one where the line stands already. */
static void write_lines(const char *text, size_t indent, FILE *to)
{
    for (bool first = true; *text; first = false) {
        size_t length = strcspn(text, "\n");

        (void)fprintf(to, "%*s%.*s\n", first || length == 0 ? 0 : (int)indent, "", (int)length, text);
        text += length;
        text += *text == '\n';
    }
}

void options_usage(const struct command *command, const char *head, FILE *to)
{
    const char *text = command->synopsis;

    do {
        size_t length = strcspn(text, "\n");

        (void)fprintf(to, "%sriskgatectl %s%s%.*s\n", head, command->name, length ? " " : "", (int)length,
                      text);
        head = head[0] == 'u' ? "       " : head;
        text += length;
    } while (*text++);
}

static void write_option(const char *name, const char *argument, const char *text, FILE *to)
{
    int width = fprintf(to, "  --%s", name);

    if (argument && width > 0) /* as it is typed: --watch [SECONDS] */
        width += fprintf(to, " %s", argument);
    if (width + 2 > HELP_COLUMN) {
        (void)fputc('\n', to);
        width = 0;
    }
    (void)fprintf(to, "%*s", HELP_COLUMN - width, "");
    write_lines(text, HELP_COLUMN, to);
}

void options_list(const struct command *command, FILE *to)
{
    for (const struct command_option *c = command->options; c && c->name; c++)
        write_option(c->name, c->argument, c->text, to);
}

void options_help(const struct command *command, FILE *to)
{
    options_usage(command, "usage: ", to);
    (void)fprintf(to, "\n%c%s.\n", toupper((unsigned char)command->sentence[0]), command->sentence + 1);
    if (command->about) {
        (void)fputc('\n', to);
        (void)fputs(command->about, to);
    }
    (void)fputs("\nOptions:\n", to);
    options_list(command, to);
    write_option("help", NULL, "this text", to);
    (void)fputs("\nExit status: 0 done; 1 failed; 2 wrong usage; 3 no daemon there.\n", to);
}
