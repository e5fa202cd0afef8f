#include "support_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static _Noreturn void unknown(const char *kind, const char *name)
{
    fprintf(stderr, "support_site: no %s \"%s\"\n", kind, name);
    abort();
}

static void add_area(struct support_site *s, struct line *line, const char *name)
{
    struct site_area area = {.name = name, .label = name, .parent = SITE_NONE, .where = "test:1"};
    char word[WORD_MAX], *value;

    while (line_pair(line, word, &value)) {
        if (strcmp(word, "parent") == 0)
            area.parent = support_site_area(&s->site, value);
        else if (strcmp(word, "inherent") == 0)
            area.inherent = line_level(line, value);
        else if (strcmp(word, "label") == 0)
            area.label = line_keep(s, value);
        else if (strcmp(word, "aggregate") == 0 && strcmp(value, "gb39496") == 0)
            area.aggregate = AGGREGATE_GB39496;
        else
            line_refuse(line, "unknown key");
    }
    s->site.areas[s->site.area_count++] = area;
}

static void add_bus(struct support_site *s, struct line *line, const char *name)
{
    struct site_bus bus = {.name = name,
                           .kind = BUS_TCP,
                           .host = "127.0.0.1",
                           .port = 1502,
                           .stop_bits = 1,
                           .timeout_ms = 1000,
                           .where = "test:1"};
    char word[WORD_MAX], *value;

    while (line && line_pair(line, word, &value)) {
        if (strcmp(word, "host") == 0) {
            bus.host = line_keep(s, value);
        } else if (strcmp(word, "port") == 0) {
            bus.port = (uint16_t)line_number(line, value);
        } else if (strcmp(word, "path") == 0) {
            bus.kind = BUS_RTU;
            bus.path = line_keep(s, value);
            bus.baud = bus.baud ? bus.baud : 9600;
        } else if (strcmp(word, "baud") == 0) {
            bus.baud = (uint32_t)line_number(line, value);
        } else if (strcmp(word, "timeout") == 0) {
            bus.timeout_ms = line_duration(line, value);
        } else {
            line_refuse(line, "unknown key");
        }
    }
    s->site.buses[s->site.bus_count++] = bus;
}

static uint32_t find_bus(struct support_site *s, const char *name)
{
    for (uint32_t i = 0; i < s->site.bus_count; i++) {
        if (strcmp(s->site.buses[i].name, name) == 0)
            return i;
    }
    if (strcmp(name, "bus") != 0)
        unknown("bus", name);
    add_bus(s, NULL, "bus");
    return (uint32_t)s->site.bus_count - 1;
}

/* "10s:yellow" */
static void parse_offline(const struct line *line, char *text, struct site_device *device)
{
    char *colon = strchr(text, ':');

    if (!colon)
        line_refuse(line, "offline=<duration>:<level> expected");
    *colon = '\0';
    device->offline_after_ms = line_duration(line, text);
    device->offline_level = line_level(line, colon + 1);
}

/* every, or every:around */
static void parse_record(const struct line *line, char *value, struct site_record *record)
{
    char *colon = strchr(value, ':');

    if (colon) {
        *colon = '\0';
        record->around_ms = line_duration(line, colon + 1);
    }
    record->every_ms = line_duration(line, value);
}

static void add_device(struct support_site *s, struct line *line, const char *name)
{
    struct site_device device = {.name = name,
                                 .bus = SITE_NONE,
                                 .unit = (uint8_t)(s->site.device_count % 247 + 1),
                                 .poll_ms = 1000,
                                 .area = SITE_NONE,
                                 .max_registers = 125,
                                 .max_gap = 8,
                                 .offline_after_ms = 10000,
                                 .first_point = (uint32_t)s->site.point_count,
                                 .where = "test:1"};
    char word[WORD_MAX], *value;

    while (line_pair(line, word, &value)) {
        if (strcmp(word, "bus") == 0)
            device.bus = find_bus(s, value);
        else if (strcmp(word, "unit") == 0)
            device.unit = (uint8_t)line_number(line, value);
        else if (strcmp(word, "poll") == 0)
            device.poll_ms = line_duration(line, value);
        else if (strcmp(word, "area") == 0)
            device.area = support_site_area(&s->site, value);
        else if (strcmp(word, "label") == 0)
            device.label = line_keep(s, value);
        else if (strcmp(word, "offline") == 0)
            parse_offline(line, value, &device);
        else if (strcmp(word, "record") == 0)
            parse_record(line, value, &device.record);
        else
            line_refuse(line, "unknown key");
    }
    if (device.bus == SITE_NONE)
        device.bus = find_bus(s, "bus");
    device.timeout_ms = s->site.buses[device.bus].timeout_ms;
    s->site.devices[s->site.device_count++] = device;
}

static enum point_type point_type(const struct line *line, const char *text)
{
    for (int i = TYPE_BOOL; i <= TYPE_BYTES8_8; i++) {
        if (strcmp(point_type_name((enum point_type)i), text) == 0)
            return (enum point_type)i;
    }
    line_refuse(line, "bad type");
}

static bool parse_space(const char *key, enum point_space *space)
{
    for (int i = SPACE_COIL; i <= SPACE_HOLDING; i++) {
        if (strcmp(point_space_name((enum point_space)i), key) == 0) {
            *space = (enum point_space)i;
            return true;
        }
    }
    return false;
}

/* The words of a doubt; the twin is named with its device. */
static bool parse_doubt(struct support_site *s, const struct line *line, const char *word, char *value,
                        struct site_doubt *doubt)
{
    char *colon = strchr(value, ':');

    if (strcmp(word, "doubt") == 0) {
        if (!colon)
            line_refuse(line, "doubt=<duration>:<level> expected");
        *colon = '\0';
        doubt->after_ms = line_duration(line, value);
        doubt->level = line_level(line, colon + 1);
    } else if (strcmp(word, "flat") == 0) {
        doubt->flat_ms = line_duration(line, value);
    } else if (strcmp(word, "band") == 0) {
        doubt->flat_band = line_number(line, value);
    } else if (strcmp(word, "rate") == 0) {
        doubt->has_rate = true;
        doubt->rate_per_s = line_number(line, value);
    } else if (strcmp(word, "twin") == 0) {
        doubt->has_twin = true;
        doubt->twin = support_site_point(&s->site, value);
    } else if (strcmp(word, "within") == 0) {
        doubt->twin_within = line_number(line, value);
    } else {
        return false;
    }
    return true;
}

static void add_point(struct support_site *s, struct line *line, const char *name)
{
    struct site_device *device = s->site.devices + s->site.device_count - 1;
    struct site_point point = {.name = name,
                               .device = (uint32_t)s->site.device_count - 1,
                               .space = SPACE_HOLDING,
                               .type = TYPE_U16,
                               .bit = -1,
                               .scaling = {1, 0, 1},
                               .file = "test",
                               .line = 1};
    struct site_doubt doubt = {.level = LEVEL_NONE}, *kept;
    enum point_space space;
    char word[WORD_MAX], full[2 * WORD_MAX], *value;

    if (s->site.device_count == 0)
        line_refuse(line, "a point without a device");
    (void)text_format(full, sizeof full, "%s.%s", device->name, name);
    point.full_name = line_keep(s, full);
    point.address = (uint16_t)(4 * device->point_count);
    while (line_pair(line, word, &value)) {
        if (strcmp(word, "type") == 0)
            point.type = point_type(line, value);
        else if (strcmp(word, "unit") == 0)
            point.unit = line_keep(s, value);
        else if (strcmp(word, "label") == 0)
            point.label = line_keep(s, value);
        else if (strcmp(word, "den") == 0)
            point.scaling.den = line_number(line, value);
        else if (strcmp(word, "change") == 0)
            point.change = line_number(line, value);
        else if (parse_space(word, &space)) {
            point.space = space;
            point.address = (uint16_t)line_number(line, value);
        } else if (!parse_doubt(s, line, word, value, &doubt))
            line_refuse(line, "unknown key");
    }
    if (doubt.level != LEVEL_NONE) {
        kept = arena_alloc(&s->arena, 1, sizeof *kept);
        if (!kept)
            line_refuse(line, "out of memory");
        *kept = doubt;
        point.doubt = kept;
    }
    if (point_type_words(point.type) > 1)
        point.order = ORDER_ABCD;
    device->point_count++;
    s->site.points[s->site.point_count++] = point;
}

static enum output_stop stop(const struct line *line, const char *text)
{
    if (strcmp(text, "keep") == 0)
        return OUTPUT_STOP_KEEP;
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
        line_refuse(line, "stop=off, on or keep expected");
    return strcmp(text, "on") == 0 ? OUTPUT_STOP_ON : OUTPUT_STOP_OFF;
}

static void add_output(struct support_site *s, struct line *line, const char *name)
{
    struct site_output output = {.name = name,
                                 .space = SPACE_COIL,
                                 .on = 1,
                                 .area = SITE_NONE,
                                 .rule = SITE_NONE,
                                 .from = LEVEL_ORANGE,
                                 .assert_ms = 10000,
                                 .fault_level = LEVEL_YELLOW,
                                 .where = "test:1"};
    char word[WORD_MAX], *value;

    while (line_pair(line, word, &value)) {
        if (strcmp(word, "device") == 0)
            output.device = support_site_device(&s->site, value);
        else if (strcmp(word, "area") == 0)
            output.area = support_site_area(&s->site, value);
        else if (strcmp(word, "rule") == 0)
            output.rule = support_site_rule(&s->site, value);
        else if (strcmp(word, "from") == 0)
            output.from = line_level(line, value);
        else if (strcmp(word, "fault") == 0)
            output.fault_level = line_level(line, value);
        else if (strcmp(word, "silence") == 0)
            output.silenceable = line_number(line, value) != 0;
        else if (strcmp(word, "stop") == 0)
            output.on_stop = stop(line, value);
        else if (strcmp(word, "assert") == 0)
            output.assert_ms = line_duration(line, value);
        else if (strcmp(word, "on") == 0)
            output.on = (uint16_t)line_number(line, value);
        else if (strcmp(word, "off") == 0)
            output.off = (uint16_t)line_number(line, value);
        else if (strcmp(word, "label") == 0)
            output.label = line_keep(s, value);
        else if (parse_space(word, &output.space))
            output.address = (uint16_t)line_number(line, value);
        else
            line_refuse(line, "unknown key");
    }
    s->site.outputs[s->site.output_count++] = output;
}

static void add(struct support_site *s, struct line *line)
{
    static const struct {
        const char *kind;
        void (*add)(struct support_site *s, struct line *line, const char *name);
    } kinds[] = {{"area", add_area},  {"bus", add_bus},        {"device", add_device}, {"point", add_point},
                 {"rule", line_rule}, {"permit", line_permit}, {"output", add_output}};
    char kind[WORD_MAX], name[WORD_MAX];

    if (!line_word(line, kind))
        return;
    if (!line_word(line, name))
        line_refuse(line, "a name expected");
    for (size_t i = 0; i < RG_COUNT(kinds); i++) {
        if (strcmp(kind, kinds[i].kind) == 0) {
            kinds[i].add(s, line, line_keep(s, name));
            return;
        }
    }
    line_refuse(line, "unknown kind");
}

void support_site_build(struct support_site *s, const char *text)
{
    size_t lines = 2; /* the last one, and the bus that may be made */

    *s = (struct support_site){
        .site = {
            .gateway = {.id = "gw-01", .ent_code = "91350100M000100Y43", .ent_name = "Test", .workers = -1},
            .store = {.path = "test.db",
                      .commit_ms = 1000,
                      .keep_telemetry_ms = 30LL * 86400000,
                      .keep_alarms_ms = 1095LL * 86400000,
                      .keep_events_ms = 1095LL * 86400000,
                      .max_size = 1LL << 30},
            .log_level = LOG_LEVEL_INFO}};
    arena_init(&s->arena, 0);
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    s->site.areas = line_room(s, lines, sizeof *s->site.areas);
    s->site.buses = line_room(s, lines, sizeof *s->site.buses);
    s->site.devices = line_room(s, lines, sizeof *s->site.devices);
    s->site.points = line_room(s, lines, sizeof *s->site.points);
    s->site.rules = line_room(s, lines, sizeof *s->site.rules);
    s->site.permits = line_room(s, lines, sizeof *s->site.permits);
    s->site.outputs = line_room(s, lines, sizeof *s->site.outputs);
    s->site.uplinks = line_room(s, 1, sizeof *s->site.uplinks);
    while (*text) {
        size_t length = strcspn(text, "\n");
        struct line line = {.text = text, .length = length, .at = text};

        add(s, &line);
        text += length + (text[length] ? 1 : 0);
    }
}

void support_site_free(struct support_site *s)
{
    arena_destroy(&s->arena);
    *s = (struct support_site){0};
}

uint32_t support_site_area(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->area_count; i++) {
        if (strcmp(site->areas[i].name, name) == 0)
            return i;
    }
    unknown("area", name);
}

uint32_t support_site_device(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->device_count; i++) {
        if (strcmp(site->devices[i].name, name) == 0)
            return i;
    }
    unknown("device", name);
}

uint32_t support_site_point(const struct site *site, const char *full_name)
{
    for (uint32_t i = 0; i < site->point_count; i++) {
        if (strcmp(site->points[i].full_name, full_name) == 0)
            return i;
    }
    unknown("point", full_name);
}

uint32_t support_site_output(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->output_count; i++) {
        if (strcmp(site->outputs[i].name, name) == 0)
            return i;
    }
    unknown("output", name);
}

uint32_t support_site_rule(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->rule_count; i++) {
        if (strcmp(site->rules[i].name, name) == 0)
            return i;
    }
    unknown("rule", name);
}
