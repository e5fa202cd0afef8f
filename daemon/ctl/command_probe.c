/* riskgatectl probe: what a unit's registers hold, read in every way they may mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/catalogue.h"
#include "ctl/options.h"
#include "ctl/parse.h"
#include "ctl/probe.h"
#include "ctl/probe_print.h"

#define SCAN_GAP_STANDARD_MS 50

enum option_number {
    OPTION_UNIT = 1,
    OPTION_HOLDING,
    OPTION_INPUT,
    OPTION_COIL,
    OPTION_DISCRETE,
    OPTION_REGISTER,
    OPTION_MAX,
    OPTION_SCAN,
    OPTION_UNITS,
    OPTION_KIND,
    OPTION_ADDRESS,
    OPTION_GAP,
};

static const struct command_option options[] = {
    {"unit", "U", OPTION_UNIT, "whose registers, 1 to 255", NULL},
    {"holding", "RANGE", OPTION_HOLDING, "holding registers: 5, or 0-20; zero-based", NULL},
    {"input", "RANGE", OPTION_INPUT, "input registers", NULL},
    {"coil", "RANGE", OPTION_COIL, "coils", NULL},
    {"discrete", "RANGE", OPTION_DISCRETE, "discrete inputs", NULL},
    {"register", "RANGE", OPTION_REGISTER, "in the manuals' one-based notation: 40001-40021", NULL},
    {"max", "N", OPTION_MAX, "registers of one request, 1 to 125 (125); 1 for devices that take singles only",
     NULL},
    {"scan", NULL, OPTION_SCAN,
     "ask every unit for one register; any answer, a refusal too, is a unit.\n"
     "Ctrl-C ends it at once",
     NULL},
    {"units", "RANGE", OPTION_UNITS, "which ones (1-247)", NULL},
    {"kind", "SPACE", OPTION_KIND, "what is asked for: coil, discrete, input or holding (holding)",
     "coil discrete input holding"},
    {"address", "N", OPTION_ADDRESS, "its address (0)", NULL},
    {"gap", "DURATION", OPTION_GAP,
     "silence between two tries (50ms). Beside a daemon's polls a scan pauses three\n"
     "times as long as its last try took: it takes a quarter of the line at most",
     NULL},
    ACCESS_OPTIONS,
    COMMAND_NO_OPTION,
};

static bool wrong(const char *value, const char *wanted)
{
    (void)fprintf(stderr, "riskgatectl: `%s` is not %s\n", value, wanted);
    return false;
}

static bool take_range(struct probe_wish *w, int option, const char *value)
{
    static const enum point_space spaces[] = {[OPTION_HOLDING] = SPACE_HOLDING,
                                              [OPTION_INPUT] = SPACE_INPUT,
                                              [OPTION_COIL] = SPACE_COIL,
                                              [OPTION_DISCRETE] = SPACE_DISCRETE};
    struct probe_range range = {0};
    bool ok = option == OPTION_REGISTER ? parse_register_range(value, &range)
                                        : parse_range(value, spaces[option], &range);

    if (!ok && option == OPTION_REGISTER)
        return wrong(value, "a range such as 40001-40021 of at most 2000");
    if (!ok)
        return wrong(value, "a range of addresses such as 0-20, of at most 2000");
    if (w->range_count == PROBE_RANGES)
        return wrong(value, "taken: at most 8 ranges at once");
    w->ranges[w->range_count++] = range;
    return true;
}

static bool take_kind(struct probe_wish *w, const char *value)
{
    for (int space = SPACE_COIL; space <= SPACE_HOLDING; space++) {
        if (strcmp(value, point_space_name((enum point_space)space)) == 0) {
            w->space = (enum point_space)space;
            return true;
        }
    }
    return wrong(value, "coil, discrete, input or holding");
}

static bool take_gap(struct probe_wish *w, const char *value)
{
    if (text_duration(value, &w->gap_ms) == RG_OK && w->gap_ms <= 60000)
        return true;
    return wrong(value, "a time such as 50ms, up to 60s");
}

static bool take(struct probe_wish *w, int option, const char *value)
{
    switch (option) {
    case OPTION_UNIT:
        return parse_number(value, 1, 255, &w->unit) || wrong(value, "a unit, 1 to 255");
    case OPTION_HOLDING:
    case OPTION_INPUT:
    case OPTION_COIL:
    case OPTION_DISCRETE:
    case OPTION_REGISTER:
        return take_range(w, option, value);
    case OPTION_MAX:
        return parse_number(value, 1, DRIVER_RAW_READ_MAX, &w->max) || wrong(value, "1 to 125");
    case OPTION_SCAN:
        w->scan = true;
        return true;
    case OPTION_UNITS:
        return parse_span(value, 1, 255, &w->first_unit, &w->last_unit) ||
               wrong(value, "a range of units such as 1-247");
    case OPTION_KIND:
        return take_kind(w, value);
    case OPTION_ADDRESS:
        return parse_number(value, 0, 65535, &w->address) || wrong(value, "an address, 0 to 65535");
    case OPTION_GAP:
        return take_gap(w, value);
    default:
        return access_option(&w->choice, option, value);
    }
}

static bool check(const struct probe_wish *w)
{
    const char *problem = NULL;

    if (w->scan && (w->range_count > 0 || w->unit >= 0))
        problem = "a scan reads --kind and --address of --units, no other range of one --unit";
    else if (!w->scan && w->unit < 0)
        problem = "which unit? --unit U, or --scan to find them";
    else if (!w->scan && w->range_count == 0)
        problem = "which registers? --holding 0-20, --input, --coil, --discrete, or --register 40001-40021";
    if (problem)
        (void)fprintf(stderr, "riskgatectl: %s\n", problem);
    return !problem && access_choice_check(&w->choice);
}

/* ---- reading ---- */

static bool ask_cb(void *arg, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    return access_ask(arg, ask, answer, NULL);
}

static void tell_end(const struct probe_wish *wish, const struct probe_reading *r)
{
    bool shorter_may_help = r->result == DRIVER_SILENT && wish->max > 1;

    (void)fflush(stdout);
    (void)fprintf(
        stderr, "riskgatectl: unit %ld: %s: %s%s\n", wish->unit, driver_result_name(r->result), r->detail,
        shorter_may_help ? "; some devices are silent to what they do not have: try fewer, or --max 1" : "");
}

static void show_for_people(const struct probe_wish *wish, const struct access *access,
                            const struct probe_reading *readings, size_t count)
{
    const struct access_device *device;

    (void)printf("%s, unit %ld", access_place(access), wish->unit);
    for (size_t i = 0; (device = access_next_device(access, (uint8_t)wish->unit, &i));)
        (void)printf(", device %s", device->name);
    (void)putchar('\n');
    for (size_t i = 0; i < count; i++) {
        (void)printf("\n%s\n", point_space_name(readings[i].range.space));
        probe_print(&readings[i], stdout);
        if (readings[i].result != DRIVER_OK)
            tell_end(wish, &readings[i]);
    }
}

static bool show_as_json(const struct probe_wish *wish, const struct access *access,
                         const struct probe_reading *readings, size_t count)
{
    struct jsonw w;
    bool ok;

    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    jsonw_key_string(&w, "bus", access_bus_name(access));
    jsonw_key_string(&w, "place", access_place(access));
    jsonw_key_int(&w, "unit", wish->unit);
    jsonw_key_string(&w, "via", access_is_shared(access) ? "daemon" : "direct");
    jsonw_key(&w, "ranges");
    jsonw_array_begin(&w);
    for (size_t i = 0; i < count; i++)
        probe_write_json(&readings[i], &w);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    ok = jsonw_error(&w) == RG_OK;
    if (ok)
        (void)puts(w.text);
    jsonw_free(&w);
    return ok;
}

static enum exit_status read_ranges(const struct probe_wish *wish, struct access *access)
{
    struct probe_reading readings[PROBE_RANGES] = {0};
    const struct driver_raw model = {.unit = (uint8_t)wish->unit};
    enum exit_status status = EXIT_DONE;
    size_t count = 0, read = 0;

    while (status == EXIT_DONE && count < wish->range_count) {
        struct probe_reading *r = &readings[count];

        if (probe_read(&wish->ranges[count], (uint16_t)wish->max, &model, ask_cb, access, r) != RG_OK)
            status = EXIT_FAILED;
        else if (r->failed)
            status = EXIT_FAILED; /* told */
        count++;
        read += r->read;
        if (r->result != DRIVER_OK)
            break; /* no use asking on */
    }
    if (status == EXIT_DONE && wish->choice.json)
        status = show_as_json(wish, access, readings, count) ? EXIT_DONE : EXIT_FAILED;
    else if (status == EXIT_DONE)
        show_for_people(wish, access, readings, count);
    for (size_t i = 0; i < count; i++)
        probe_reading_free(&readings[i]);
    return status == EXIT_DONE && read == 0 ? EXIT_FAILED : status;
}

/* ---- the command ---- */

static enum exit_status go(const struct probe_wish *wish)
{
    struct access *access = NULL;
    enum exit_status status = access_open(&wish->choice, &access);

    if (status != EXIT_DONE)
        return status;
    status = wish->scan ? probe_scan(wish, access) : read_ranges(wish, access);
    access_close(access);
    return status;
}

static enum exit_status run(const struct arguments *a, int argc, char **argv)
{
    struct probe_wish wish = {.unit = -1,
                              .max = DRIVER_RAW_READ_MAX,
                              .first_unit = 1,
                              .last_unit = 247,
                              .space = SPACE_HOLDING,
                              .gap_ms = SCAN_GAP_STANDARD_MS};
    struct arguments own = *a;
    struct options o;
    int code;

    access_choice_init(&wish.choice, a);
    options_begin(&o, &command_probe, &own, argc, argv);
    while ((code = options_next(&o)) > 0) {
        if (!take(&wish, code, optarg))
            return EXIT_USAGE;
    }
    return code == OPTIONS_END && check(&wish) ? go(&wish) : EXIT_USAGE;
}

const struct command command_probe = {
    .name = "probe",
    .group = GROUP_LINE,
    .synopsis = "--bus NAME --unit U --holding 0-20 [--input 5] [--coil 0-7] [--discrete 3]\n"
                "--tcp HOST:PORT --unit U --register 40001-40021\n"
                "--scan --bus NAME [--units 1-247] [--kind holding --address 0]",
    .sentence = "what a unit's registers hold, in every reading; the units of a line",
    .about = "Shows each register as unsigned and signed integer, as text and bits, and with the next one as "
             "floats and\n"
             "32-bit integers in their orders. `*` marks likely numbers, `?` possible ones: a float between "
             "1e-4 and\n"
             "1e7, with few digits or with many. A wrong address or order gives numbers that look right, "
             "too: compare\n"
             "with the device's display. Parts that the device refuses are shown as such, the rest is read.\n"
             "Ends with 1 when nothing could be read, or nobody answered.\n",
    .options = options,
    .run_own = run,
};
