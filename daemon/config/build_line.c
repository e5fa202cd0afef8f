/* How devices are set against the line they are on: all units of a line speak at one speed, with one parity and
 * the same stop bits (Modbus over serial line V1.02, 2.5.1), or some of them are never understood. */
#include <inttypes.h>
#include <stdio.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"

enum setting { SETTING_BAUD, SETTING_PARITY, SETTING_STOP_BITS };
#define SETTING_COUNT 3

static const struct {
    const char *key, *words;
} settings[SETTING_COUNT] = {
    [SETTING_BAUD] = {"baud", "speeds"},
    [SETTING_PARITY] = {"parity", "parity"},
    [SETTING_STOP_BITS] = {"stop_bits", "stop bits"},
};

/* What was said first of each setting of one line, and where. */
struct line_said {
    struct said {
        bool given;
        int64_t value;
        const char *device; /* NULL: the bus itself */
        struct place at;
    } said[SETTING_COUNT];
};

struct setting_text {
    char text[24];
};

static struct setting_text setting_text(enum setting setting, int64_t value)
{
    static const char *const parities[] = {
        [PARITY_NONE] = "none", [PARITY_EVEN] = "even", [PARITY_ODD] = "odd"};
    struct setting_text out;

    if (setting == SETTING_PARITY)
        (void)snprintf(out.text, sizeof out.text, "%s", parities[value]);
    else
        (void)snprintf(out.text, sizeof out.text, "%" PRId64, value);
    return out;
}

void line_begin(struct build *b)
{
    b->lines = load_scratch(b->ld, b->site->bus_count + 1, sizeof *b->lines);
    for (size_t i = 0; b->lines && i < b->site->bus_count; i++) {
        const struct site_bus *bus = &b->site->buses[i];
        const struct node *node = b->entries[SECTION_BUS].nodes[i];
        const int64_t values[SETTING_COUNT] = {bus->baud, bus->parity, bus->stop_bits};

        for (unsigned s = 0; s < SETTING_COUNT && bus->kind != BUS_TCP; s++) {
            const struct node *given = node_get(node, settings[s].key);

            /* Of a line behind a serial server only what is said is known; one of our own has its defaults. */
            if (values[s] == 0 && s != SETTING_PARITY)
                continue;
            if (given || bus->kind == BUS_RTU)
                b->lines[i].said[s] =
                    (struct said){.given = true, .value = values[s], .at = node_place(given ? given : node)};
        }
    }
}

static void compare(struct build *b, const struct device_item *item, enum setting setting,
                    const struct node *given, int64_t value)
{
    struct said *said = &b->lines[item->device.bus].said[setting];
    const struct site_bus *bus = &b->site->buses[item->device.bus];
    const bool profiled = node_of_profile(b->ld, given);

    if (!said->given) {
        *said = (struct said){.given = true,
                              .value = value,
                              .device = item->device.name ? item->device.name : "",
                              .at = node_place(given)};
        return;
    }
    if (said->value == value)
        return;
    issue_error(b->ld, node_place(profiled ? node_get(item->own, "profile") : given),
                "mixed %s on one line: this device is set to `%s`%s, %s `%s` (%s:%u) to `%s`",
                settings[setting].words, setting_text(setting, value).text,
                profiled ? " by its profile (if it is not, give `line` here)" : "",
                said->device ? "the device" : "its bus", said->device ? said->device : bus->name,
                b->ld->sources[said->at.file].name, said->at.line, setting_text(setting, said->value).text);
}

void line_check(struct build *b, const struct device_item *item)
{
    struct line_item line = {.baud = 0};
    const size_t errors = b->ld->config->error_count;

    if (!item->line)
        return;
    fill_map(b->ld, SECTION_LINE, item->line, &line);
    if (item->device.bus == SITE_NONE || !b->lines || b->ld->config->error_count > errors)
        return;
    if (b->site->buses[item->device.bus].kind == BUS_TCP) {
        /* The line of a device that is reached through a gateway is the gateway's affair. */
        if (!node_of_profile(b->ld, item->line))
            issue_error(b->ld, node_key_place(item->line),
                        "`line` means nothing on `tcp`: it belongs to devices on `rtu` or `rtu_over_tcp`");
        return;
    }
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        const int64_t values[SETTING_COUNT] = {line.baud, line.parity, line.stop_bits};
        const struct node *given = node_get(item->line, settings[s].key);

        if (given)
            compare(b, item, (enum setting)s, given, values[s]);
    }
}
