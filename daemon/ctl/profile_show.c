#include "ctl/profile_show.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "ctl/table.h"

#define WIDTH 110 /* of running text */

/* What the profile asks for at a point (NULL: at the device), under a key. */
static bool is_asked(const struct profile *profile, const char *point, const char *key)
{
    char full[2 * TEXT_ID_MAX + 2];

    (void)text_format(full, sizeof full, "%s%s%s", point ? point : "", point ? "." : "", key);
    for (size_t i = 0; i < profile->ask_count; i++)
        if (strcmp(profile->asks[i].key, full) == 0)
            return true;
    return false;
}

/* Words wrapped between a margin and WIDTH bytes; a word that is longer stands alone. */
static void print_wrapped(FILE *to, const char *title, const char *text)
{
    size_t margin = strlen(title);
    size_t column = margin;

    (void)fputs(title, to);
    while (*text) {
        size_t word = strcspn(text, " \n");

        if (column > margin && column + 1 + word > WIDTH) {
            (void)fprintf(to, "\n%*s", (int)margin, "");
            column = margin;
        } else if (column > margin) {
            (void)fputc(' ', to);
            column++;
        }
        (void)fprintf(to, "%.*s", (int)word, text);
        column += word;
        text += word + strspn(text + word, " \n");
    }
    (void)fputc('\n', to);
}

/* "holding 2 (40003)": the second in the manuals' one-based notation, where that has room for it. */
static void format_address(char *out, size_t size, enum point_space space, uint16_t address)
{
    static const char leading[] = {'0', '1', '3', '4'};

    (void)text_format(out, size, "%s %u (%c%0*u)", point_space_name(space), address, leading[space],
                      address < 9999 ? 4 : 5, address + 1u);
}

static void format_type(char *out, size_t size, const struct profile *profile, const struct site_point *p)
{
    bool wide = point_type_words(p->type) > 1;

    if (p->bit >= 0)
        (void)text_format(out, size, "bit %d", p->bit);
    else if (wide && (is_asked(profile, NULL, "order") || is_asked(profile, p->name, "order")))
        (void)text_format(out, size, "%s, order asked", point_type_name(p->type));
    else
        (void)text_format(out, size, "%s%s%s", point_type_name(p->type), wide ? " " : "",
                          wide ? word_order_name(p->order) : "");
    if (p->mask) {
        size_t used = strlen(out);

        (void)text_format(out + used, size - used, " & 0x%x", p->mask);
    }
}

static void add_text(char *out, size_t size, const char *format, ...) RG_PRINTF(3, 4);
static void add_text(char *out, size_t size, const char *format, ...)
{
    size_t used = strlen(out);
    va_list args;

    if (used > 0 && used + 3 < size) {
        (void)text_copy(out + used, size - used, ", ");
        used += 2;
    }
    va_start(args, format);
    (void)vsnprintf(out + used, size - used, format, args);
    va_end(args);
}

/* How the raw value becomes one in the unit. */
static void format_coding(char *out, size_t size, const struct profile *profile, const struct site_point *p)
{
    char at[48];

    out[0] = '\0';
    if (is_asked(profile, p->name, "scale") || is_asked(profile, p->name, "offset"))
        add_text(out, size, "asked");
    else if (p->scaling.num != p->scaling.den || p->scaling.add != 0)
        add_text(out, size, "* %.10g %+.10g", p->scaling.num / p->scaling.den,
                 p->scaling.add / p->scaling.den);
    if (p->has_decimals) {
        format_address(at, sizeof at, p->decimals.space, p->decimals.address);
        add_text(out, size, "/ 10^(%s)", at);
    }
    for (size_t i = 0; i < p->word_count; i++)
        add_text(out, size, "%.10g %s", p->words[i].value, p->words[i].text);
    for (size_t i = 0; i < p->invalid_count; i++)
        add_text(out, size, "%.10g is none", p->invalid[i]);
    if (p->has_range)
        add_text(out, size, "%.10g to %.10g", p->range_min, p->range_max);
}

static void show_points(const struct config *config, FILE *to)
{
    static const char *const titles[] = {"POINT", "REGISTER", "TYPE", "UNIT", "VALUE", "LABEL"};
    const struct profile *profile = config->profile;
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (size_t i = 0; i < config->site->point_count; i++) {
        const struct site_point *p = &config->site->points[i];
        char text[TABLE_CELL];
        bool asked = is_asked(profile, p->name, "register") || is_asked(profile, p->name, "holding") ||
                     is_asked(profile, p->name, "input");

        table_row(&t, TABLE_PLAIN);
        table_cell(&t, "%s", p->name);
        format_address(text, sizeof text, p->space, p->address);
        table_cell(&t, "%s", asked ? "asked" : text);
        format_type(text, sizeof text, profile, p);
        table_cell(&t, "%s", is_asked(profile, p->name, "type") ? "asked" : text);
        table_cell(&t, "%s", is_asked(profile, p->name, "unit") ? "asked" : p->unit ? p->unit : "-");
        format_coding(text, sizeof text, profile, p);
        table_cell(&t, "%s", text[0] ? text : "-");
        table_cell(&t, "%s", p->label ? p->label : "");
    }
    table_print(&t, to);
    table_free(&t);
}

static void format_gate(char *out, size_t size, const struct site_gate *gate)
{
    char within[32];

    out[0] = '\0';
    if (gate->at.mask)
        add_text(out, size, "& 0x%04x", gate->at.mask);
    if (gate->kind == GATE_HEARTBEAT) {
        add_text(out, size, "must change within %s, else stale",
                 text_format_duration(gate->within_ms, within));
        return;
    }
    for (size_t i = 0; i < gate->case_count; i++)
        add_text(out, size, "%s%u %s", gate->kind == GATE_BITS ? "bit " : "", gate->cases[i].value,
                 quality_name(gate->cases[i].quality));
    if (gate->kind == GATE_VALUES)
        add_text(out, size, "else %s", quality_name(gate->otherwise));
}

static void show_gates(const struct profile *profile, const struct site_device *device, FILE *to)
{
    for (size_t i = 0; i < device->gate_count; i++) {
        char at[48];
        char text[1024];
        char title[64];

        format_address(at, sizeof at, device->gates[i].at.space, device->gates[i].at.address);
        (void)text_format(title, sizeof title, "  %s: ", at);
        format_gate(text, sizeof text, &device->gates[i]);
        if (i == 0)
            (void)fputs("\nRead with it, deciding on the quality of all points:\n", to);
        print_wrapped(to, title, text);
    }
    if (is_asked(profile, NULL, "status"))
        (void)fputs("  (as given in the first vector; asked)\n", to);
}

static void show_habits(const struct profile *profile, const struct site_device *device, FILE *to)
{
    char text[256] = "";
    char time[32];

    add_text(text, sizeof text, "poll %s", text_format_duration(device->poll_ms, time));
    if (device->max_registers < 125)
        add_text(text, sizeof text, "at most %u registers a request", device->max_registers);
    if (device->max_gap == 0)
        add_text(text, sizeof text, "nothing read through");
    if (device->gap_ms > 0)
        add_text(text, sizeof text, "%s of silence before each request",
                 text_format_duration(device->gap_ms, time));
    if (device->start_up_ms > 0)
        add_text(text, sizeof text, "not asked for %s after the start",
                 text_format_duration(device->start_up_ms, time));
    if (device->trigger.enabled && !is_asked(profile, NULL, "trigger"))
        add_text(text, sizeof text, "%s %u is written before each poll",
                 point_space_name(device->trigger.space), device->trigger.address);
    print_wrapped(to, "habits  ", text);
}

void profile_show(const struct config *config, FILE *to)
{
    const struct profile *profile = config->profile;
    const struct site_device *device = &config->site->devices[0];

    (void)fprintf(to, "%s: %s, %s\n\n", profile->name, profile->maker, profile->device);
    print_wrapped(to, "reads   ", profile->reads);
    if (profile->line)
        print_wrapped(to, "line    ", profile->line);
    show_habits(profile, device, to);
    print_wrapped(to, "source  ", profile->source);
    print_wrapped(to, "note    ", profile->note);
    for (size_t i = 0; i < profile->ask_count; i++) {
        char title[TABLE_CELL];

        (void)text_format(title, sizeof title, "  %s: ", profile->asks[i].key);
        if (i == 0)
            (void)fputs("\nTo be given with the device:\n", to);
        print_wrapped(to, title, profile->asks[i].why);
    }
    (void)fputc('\n', to);
    show_points(config, to);
    show_gates(profile, device, to);
    (void)fprintf(to, "\n%zu vectors\n", profile->vector_count);
}
