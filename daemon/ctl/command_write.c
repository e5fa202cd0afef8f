/* riskgatectl write: one write to a unit, shown and confirmed before, read back after. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/access.h"
#include "ctl/catalogue.h"
#include "ctl/options.h"
#include "ctl/parse.h"
#include "ctl/probe_view.h"

#define WORDS_TEXT_MAX 128 /* of values, for people */

enum option_number {
    OPTION_UNIT = 1,
    OPTION_COIL,
    OPTION_HOLDING,
    OPTION_REGISTER,
    OPTION_YES,
};

static const struct command_option options[] = {
    {"unit", "U", OPTION_UNIT, "which unit; 0: every unit of a serial line", NULL},
    {"coil", "N", OPTION_COIL, "the first coil; zero-based", NULL},
    {"holding", "N", OPTION_HOLDING, "the first holding register", NULL},
    {"register", "N", OPTION_REGISTER, "in the manuals' one-based notation: 40006", NULL},
    COMMAND_BY,
    {"yes", NULL, OPTION_YES, "do not ask; needed without a terminal", NULL},
    ACCESS_OPTIONS,
    COMMAND_NO_OPTION,
};

struct wish {
    struct access_choice choice;
    const char *by;
    bool yes;
    bool placed; /* an address was given */
    long unit;   /* -1: not given */
    struct driver_raw ask;
};

static bool wrong(const char *value, const char *wanted)
{
    (void)fprintf(stderr, "riskgatectl: `%s` is not %s\n", value, wanted);
    return false;
}

static bool take_place(struct wish *w, int option, const char *value)
{
    struct probe_range range = {0};
    bool ok = option == OPTION_REGISTER
                  ? parse_register_range(value, &range)
                  : parse_range(value, option == OPTION_COIL ? SPACE_COIL : SPACE_HOLDING, &range);

    if (!ok || range.count != 1 || (range.space != SPACE_COIL && range.space != SPACE_HOLDING))
        return wrong(value, "the address of a coil or a holding register");
    if (w->placed)
        return wrong(value, "taken: one address, and values for it and those behind it");
    w->placed = true;
    w->ask.space = range.space;
    w->ask.address = range.first;
    return true;
}

static bool take(struct wish *w, int option, char *value)
{
    switch (option) {
    case OPTION_UNIT:
        return parse_number(value, 0, 255, &w->unit) || wrong(value, "a unit, 0 to 255");
    case OPTION_COIL:
    case OPTION_HOLDING:
    case OPTION_REGISTER:
        return take_place(w, option, value);
    case OPTION_YES:
        w->yes = true;
        return true;
    default:
        return access_option(&w->choice, option, value);
    }
}

static bool take_values(struct wish *w, int count, char **values)
{
    if (count < 1 || count > DRIVER_RAW_WRITE_MAX || w->ask.address + count > 65536) {
        (void)fputs("riskgatectl: which values? One to 123 of them, as far as there are addresses\n", stderr);
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!parse_word(w->ask.space, values[i], &w->ask.values[i]))
            return wrong(values[i], w->ask.space == SPACE_COIL ? "on or off" : "a value of a register");
    }
    w->ask.count = (uint16_t)count;
    return true;
}

static bool check(const struct wish *w)
{
    const char *problem = NULL;

    if (w->unit < 0)
        problem = "which unit? --unit U";
    else if (!w->placed)
        problem = "which address? --coil A, --holding A, or --register 40006";
    else if (!w->by || !w->by[0])
        problem = "write needs --by NAME: a write has somebody who answers for it";
    else if (!w->yes && !isatty(STDIN_FILENO))
        problem = "there is no terminal to ask for a confirmation: --yes writes without one";
    if (problem)
        (void)fprintf(stderr, "riskgatectl: %s\n", problem);
    return !problem && access_choice_check(&w->choice);
}

/* ---- what is shown ---- */

static const char *words_text(enum point_space space, const uint16_t *values, size_t count,
                              char out[WORDS_TEXT_MAX])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[16];

        if (space == SPACE_COIL)
            (void)text_copy(one, sizeof one, values[i] ? "on" : "off");
        else
            (void)text_format(one, sizeof one, "%u", values[i]);
        if (used + strlen(one) + sizeof " ..." >= WORDS_TEXT_MAX) {
            (void)text_copy(out + used, WORDS_TEXT_MAX - used, " ...");
            break;
        }
        used += (size_t)snprintf(out + used, WORDS_TEXT_MAX - used, "%s%s", i ? " " : "", one);
    }
    return out;
}

static bool read_now(const struct wish *w, struct access *access, FILE *to, uint16_t *values)
{
    struct driver_raw ask = {
        .unit = w->ask.unit, .space = w->ask.space, .address = w->ask.address, .count = w->ask.count};
    struct driver_raw_answer answer = {0};
    char text[WORDS_TEXT_MAX];

    if (ask.unit == 0) {
        (void)fputs("  now: unit 0 is every unit of the line, and none answers\n", to);
        return true;
    }
    if (!access_ask(access, &ask, &answer, NULL))
        return false;
    if (answer.result == DRIVER_OK && answer.count == ask.count) {
        memcpy(values, answer.values, ask.count * sizeof *values);
        (void)fprintf(to, "  now: %s\n", words_text(ask.space, answer.values, answer.count, text));
    } else {
        (void)fprintf(to, "  now: cannot be read (%s: %s)\n", driver_result_name(answer.result),
                      answer.detail);
    }
    return true;
}

/* What will be done, and to what. False: asking itself failed. */
static bool announce(const struct wish *w, struct access *access, FILE *to)
{
    const struct access_device *device;
    const struct access_output *output;
    uint16_t now[DRIVER_RAW_WRITE_MAX];
    char number[VIEW_TEXT_MAX], text[WORDS_TEXT_MAX];

    (void)fprintf(to, "%s, unit %u, %s %u (%s)\n", access_place(access), w->ask.unit,
                  point_space_name(w->ask.space), w->ask.address,
                  view_register(w->ask.space, w->ask.address, number));
    for (size_t i = 0; (device = access_next_device(access, w->ask.unit, &i));)
        (void)fprintf(to, "  unit %u is the device %s\n", w->ask.unit, device->name);
    for (size_t i = 0;
         (output = access_next_output(access, w->ask.unit, w->ask.space, w->ask.address, w->ask.count, &i));)
        (void)fprintf(to, "  this is the output %s: the daemon will set it again as its alarms demand\n",
                      output->name);
    if (!read_now(w, access, to, now))
        return false;
    (void)fprintf(to, "  to be written: %s\n", words_text(w->ask.space, w->ask.values, w->ask.count, text));
    return true;
}

static bool confirmed(void)
{
    char line[16];

    (void)fputs("Type yes to write: ", stderr);
    return fgets(line, sizeof line, stdin) && strcmp(line, "yes\n") == 0;
}

static void report(const struct wish *w, const struct raw_written *out)
{
    const struct driver_raw_answer *answer = &out->answer;
    char text[WORDS_TEXT_MAX];

    if (answer->result == DRIVER_EXCEPTION)
        (void)printf("refused: %s (exception %u)\n", answer->detail, answer->exception);
    else if (answer->result != DRIVER_OK)
        (void)printf("not confirmed: %s: %s; whether it was carried out is not known\n",
                     driver_result_name(answer->result), answer->detail);
    else if (w->ask.unit == 0)
        (void)puts("sent to every unit of the line; none answers");
    else if (!out->has_new)
        (void)puts("written; it cannot be read back");
    else
        (void)printf("written; reads %s now%s\n", words_text(w->ask.space, out->now, w->ask.count, text),
                     memcmp(out->now, w->ask.values, w->ask.count * sizeof out->now[0]) == 0
                         ? ""
                         : ", which is not what was written");
}

static void write_words(struct jsonw *w, const char *key, bool there, const uint16_t *values, size_t count)
{
    jsonw_key(w, key);
    if (!there) {
        jsonw_null(w);
        return;
    }
    jsonw_array_begin(w);
    for (size_t i = 0; i < count; i++)
        jsonw_int(w, values[i]);
    jsonw_array_end(w);
}

static bool report_json(const struct wish *w, const struct access *access, const struct raw_written *out)
{
    const struct driver_raw_answer *answer = &out->answer;
    struct jsonw j;
    bool ok;

    jsonw_init(&j, 0);
    jsonw_object_begin(&j);
    jsonw_key_string(&j, "bus", access_bus_name(access));
    jsonw_key_string(&j, "place", access_place(access));
    jsonw_key_string(&j, "via", access_is_shared(access) ? "daemon" : "direct");
    jsonw_key_int(&j, "unit", w->ask.unit);
    jsonw_key_string(&j, "space", point_space_name(w->ask.space));
    jsonw_key_int(&j, "address", w->ask.address);
    write_words(&j, "values", true, w->ask.values, w->ask.count);
    write_words(&j, "old", out->had_old, out->old, w->ask.count);
    write_words(&j, "new", out->has_new, out->now, w->ask.count);
    jsonw_key_string(&j, "result", driver_result_name(answer->result));
    jsonw_key_positive(&j, "exception", answer->exception);
    jsonw_key_string(&j, "detail", answer->detail[0] ? answer->detail : NULL);
    jsonw_object_end(&j);
    ok = jsonw_error(&j) == RG_OK;
    if (ok)
        (void)puts(j.text);
    jsonw_free(&j);
    return ok;
}

/* ---- the command ---- */

static enum exit_status write_through(const struct wish *w, struct access *access)
{
    struct raw_written out;
    bool told = true;

    if (!announce(w, access, w->choice.json ? stderr : stdout))
        return EXIT_FAILED;
    (void)fflush(stdout);
    if (!w->yes && !confirmed()) {
        (void)fputs("nothing was written\n", stderr);
        return EXIT_FAILED;
    }
    if (!access_write(access, &w->ask, w->by, &out))
        return EXIT_FAILED;
    if (w->choice.json)
        told = report_json(w, access, &out);
    else
        report(w, &out);
    return told && out.answer.result == DRIVER_OK ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status go(const struct wish *w)
{
    struct access *access = NULL;
    enum exit_status status = access_open(&w->choice, &access);

    if (status != EXIT_DONE)
        return status;
    if (w->ask.unit == 0 && access_kind(access) == BUS_TCP) {
        (void)fputs("riskgatectl: unit 0 is for serial lines: every unit there\n", stderr);
        status = EXIT_USAGE;
    } else {
        status = write_through(w, access);
    }
    access_close(access);
    return status;
}

static enum exit_status run(const struct arguments *a, int argc, char **argv)
{
    struct wish wish = {.unit = -1};
    struct arguments own = *a;
    struct options o;
    int code;

    access_choice_init(&wish.choice, a);
    options_begin(&o, &command_write, &own, argc, argv);
    while ((code = options_next(&o)) > 0) {
        if (!take(&wish, code, optarg))
            return EXIT_USAGE;
    }
    wish.by = own.by;
    if (code == OPTIONS_WRONG || !check(&wish) || !take_values(&wish, own.operand_count, own.operands))
        return EXIT_USAGE;
    wish.ask.write = true;
    wish.ask.unit = (uint8_t)wish.unit;
    return go(&wish);
}

const struct command command_write = {
    .name = "write",
    .group = GROUP_LINE,
    .synopsis = "--bus NAME --unit U --coil 3 on --by NAME\n"
                "--bus NAME --unit U --holding 5 17 18 19 --by NAME\n"
                "--tcp HOST:PORT --unit U --by NAME --register 40006 -- -5",
    .sentence = "write coils or holding registers: shown and confirmed before, read back after",
    .about = "Shows what will be written and what is there, and asks (type yes). The value is read before "
             "and after, and\n"
             "both are told in the daemon's event stream.\n"
             "Values: on, off; 0 to 65535, 0x0 to 0xffff, -32768 to -1 (after --).\n"
             "Ends with 1 when it was refused, unconfirmed or not possible.\n",
    .options = options,
    .most = DRIVER_RAW_WRITE_MAX,
    .completes = "on off",
    .run_own = run,
};
