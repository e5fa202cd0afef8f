#include "support_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define WORD_MAX 256

/* One line, cut into words as it is read. */
struct line {
    const char *text; /* the whole line, for complaints */
    size_t length;
    const char *at; /* the rest of it */
};

static _Noreturn void refuse(const struct line *line, const char *what)
{
    fprintf(stderr, "support_site: %s: \"%.*s\"\n", what, (int)line->length, line->text);
    abort();
}

static _Noreturn void unknown(const char *kind, const char *name)
{
    fprintf(stderr, "support_site: no %s \"%s\"\n", kind, name);
    abort();
}

/* The next word into word[WORD_MAX]; false at the line's end. */
static bool next_word(struct line *line, char *word)
{
    const char *end = line->text + line->length;
    size_t n = 0;

    while (line->at < end && *line->at == ' ')
        line->at++;
    for (; line->at < end && *line->at != ' '; line->at++) {
        if (n + 1 >= WORD_MAX)
            refuse(line, "word too long");
        word[n++] = *line->at;
    }
    word[n] = '\0';
    return n > 0;
}

/* Splits "key=value"; false at the line's end. */
static bool next_pair(struct line *line, char *word, char **value)
{
    if (!next_word(line, word))
        return false;
    *value = strchr(word, '=');
    if (!*value)
        refuse(line, "key=value expected");
    *(*value)++ = '\0';
    return true;
}

static const char *keep(struct support_site *s, const char *text)
{
    const char *copy = arena_strdup(&s->arena, text);

    if (!copy)
        abort();
    return copy;
}

static void *room(struct support_site *s, size_t count, size_t size)
{
    void *memory = arena_alloc(&s->arena, count ? count : 1, size);

    if (!memory)
        abort();
    return memory;
}

static double number(const struct line *line, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end)
        refuse(line, "bad number");
    return value;
}

static int64_t duration(const struct line *line, const char *text)
{
    int64_t ms = 0;

    if (strcmp(text, "0") != 0 && text_duration(text, &ms) != RG_OK)
        refuse(line, "bad duration");
    return ms;
}

static enum level level(const struct line *line, const char *text)
{
    enum level found = LEVEL_NONE;

    if (level_parse(text, &found) != RG_OK)
        refuse(line, "bad level");
    return found;
}

static void add_area(struct support_site *s, struct line *line, const char *name)
{
    struct site_area area = {.name = name, .label = name, .parent = SITE_NONE, .where = "test:1"};
    char word[WORD_MAX], *value;

    while (next_pair(line, word, &value)) {
        if (strcmp(word, "parent") == 0)
            area.parent = support_site_area(&s->site, value);
        else if (strcmp(word, "inherent") == 0)
            area.inherent = level(line, value);
        else if (strcmp(word, "label") == 0)
            area.label = keep(s, value);
        else if (strcmp(word, "aggregate") == 0 && strcmp(value, "gb39496") == 0)
            area.aggregate = AGGREGATE_GB39496;
        else
            refuse(line, "unknown key");
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

    while (line && next_pair(line, word, &value)) {
        if (strcmp(word, "host") == 0) {
            bus.host = keep(s, value);
        } else if (strcmp(word, "port") == 0) {
            bus.port = (uint16_t)number(line, value);
        } else if (strcmp(word, "path") == 0) {
            bus.kind = BUS_RTU;
            bus.path = keep(s, value);
            bus.baud = bus.baud ? bus.baud : 9600;
        } else if (strcmp(word, "baud") == 0) {
            bus.baud = (uint32_t)number(line, value);
        } else if (strcmp(word, "timeout") == 0) {
            bus.timeout_ms = duration(line, value);
        } else {
            refuse(line, "unknown key");
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
        refuse(line, "offline=<duration>:<level> expected");
    *colon = '\0';
    device->offline_after_ms = duration(line, text);
    device->offline_level = level(line, colon + 1);
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

    while (next_pair(line, word, &value)) {
        if (strcmp(word, "bus") == 0)
            device.bus = find_bus(s, value);
        else if (strcmp(word, "unit") == 0)
            device.unit = (uint8_t)number(line, value);
        else if (strcmp(word, "poll") == 0)
            device.poll_ms = duration(line, value);
        else if (strcmp(word, "area") == 0)
            device.area = support_site_area(&s->site, value);
        else if (strcmp(word, "label") == 0)
            device.label = keep(s, value);
        else if (strcmp(word, "offline") == 0)
            parse_offline(line, value, &device);
        else
            refuse(line, "unknown key");
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
    refuse(line, "bad type");
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

static void add_point(struct support_site *s, struct line *line, const char *name)
{
    struct site_device *device = s->site.devices + s->site.device_count - 1;
    struct site_point point = {.name = name,
                               .device = (uint32_t)s->site.device_count - 1,
                               .space = SPACE_HOLDING,
                               .type = TYPE_U16,
                               .bit = -1,
                               .scaling = {1, 0, 1},
                               .where = "test:1"};
    char word[WORD_MAX], full[2 * WORD_MAX], *value;

    if (s->site.device_count == 0)
        refuse(line, "a point without a device");
    (void)text_format(full, sizeof full, "%s.%s", device->name, name);
    point.full_name = keep(s, full);
    point.address = (uint16_t)(4 * device->point_count);
    while (next_pair(line, word, &value)) {
        if (strcmp(word, "type") == 0)
            point.type = point_type(line, value);
        else if (strcmp(word, "unit") == 0)
            point.unit = keep(s, value);
        else if (strcmp(word, "label") == 0)
            point.label = keep(s, value);
        else if (strcmp(word, "den") == 0)
            point.scaling.den = number(line, value);
        else if (parse_space(word, &point.space))
            point.address = (uint16_t)number(line, value);
        else
            refuse(line, "unknown key");
    }
    if (point_type_words(point.type) > 1)
        point.order = ORDER_ABCD;
    device->point_count++;
    s->site.points[s->site.point_count++] = point;
}

static void parse_points(struct support_site *s, const struct line *line, char *text, struct site_rule *rule)
{
    bool *taken = room(s, s->site.point_count, sizeof *taken);
    uint32_t *points = room(s, s->site.point_count, sizeof *points);
    char *rest = NULL;

    for (char *glob = strtok_r(text, ",", &rest); glob; glob = strtok_r(NULL, ",", &rest)) {
        for (size_t i = 0; i < s->site.point_count; i++)
            taken[i] = taken[i] || text_glob(glob, s->site.points[i].full_name);
    }
    for (uint32_t i = 0; i < s->site.point_count; i++) {
        if (taken[i])
            points[rule->point_count++] = i;
    }
    if (rule->point_count == 0)
        refuse(line, "points match nothing");
    rule->points = points;
}

/* "blue:10,red:50" */
static void parse_limits(const struct line *line, char *text, bool *has, double *limits)
{
    char *rest = NULL;

    for (char *item = strtok_r(text, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(item, ':');
        enum level found;

        if (!colon)
            refuse(line, "level:limit expected");
        *colon = '\0';
        found = level(line, item);
        has[found] = true;
        limits[found] = number(line, colon + 1);
    }
}

/* "3:red,2:blue" */
static void parse_is(struct support_site *s, const struct line *line, char *text, struct site_rule *rule)
{
    struct rule_is *is = room(s, strlen(text), sizeof *is);
    char *rest = NULL;

    for (char *item = strtok_r(text, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(item, ':');

        if (!colon)
            refuse(line, "value:level expected");
        *colon = '\0';
        is[rule->is_count++] = (struct rule_is){number(line, item), level(line, colon + 1)};
    }
    rule->is = is;
}

static void add_rule(struct support_site *s, struct line *line, const char *name)
{
    struct site_rule rule = {.name = name, .where = "test:1"};
    char word[WORD_MAX], *value;

    while (next_pair(line, word, &value)) {
        if (strcmp(word, "points") == 0)
            parse_points(s, line, value, &rule);
        else if (strcmp(word, "above") == 0)
            parse_limits(line, value, rule.has_above, rule.above);
        else if (strcmp(word, "below") == 0)
            parse_limits(line, value, rule.has_below, rule.below);
        else if (strcmp(word, "is") == 0)
            parse_is(s, line, value, &rule);
        else if (strcmp(word, "deadband") == 0)
            rule.deadband = number(line, value);
        else if (strcmp(word, "on") == 0)
            rule.on_delay_ms = duration(line, value);
        else if (strcmp(word, "off") == 0)
            rule.off_delay_ms = duration(line, value);
        else if (strcmp(word, "latch") == 0)
            rule.latch_from = level(line, value);
        else if (strcmp(word, "message") == 0)
            rule.message = keep(s, value);
        else
            refuse(line, "unknown key");
    }
    s->site.rules[s->site.rule_count++] = rule;
}

static enum output_stop stop(const struct line *line, const char *text)
{
    if (strcmp(text, "keep") == 0)
        return OUTPUT_STOP_KEEP;
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
        refuse(line, "stop=off, on or keep expected");
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

    while (next_pair(line, word, &value)) {
        if (strcmp(word, "device") == 0)
            output.device = support_site_device(&s->site, value);
        else if (strcmp(word, "area") == 0)
            output.area = support_site_area(&s->site, value);
        else if (strcmp(word, "rule") == 0)
            output.rule = support_site_rule(&s->site, value);
        else if (strcmp(word, "from") == 0)
            output.from = level(line, value);
        else if (strcmp(word, "fault") == 0)
            output.fault_level = level(line, value);
        else if (strcmp(word, "silence") == 0)
            output.silenceable = number(line, value) != 0;
        else if (strcmp(word, "stop") == 0)
            output.on_stop = stop(line, value);
        else if (strcmp(word, "assert") == 0)
            output.assert_ms = duration(line, value);
        else if (strcmp(word, "on") == 0)
            output.on = (uint16_t)number(line, value);
        else if (strcmp(word, "off") == 0)
            output.off = (uint16_t)number(line, value);
        else if (strcmp(word, "label") == 0)
            output.label = keep(s, value);
        else if (parse_space(word, &output.space))
            output.address = (uint16_t)number(line, value);
        else
            refuse(line, "unknown key");
    }
    s->site.outputs[s->site.output_count++] = output;
}

static void add(struct support_site *s, struct line *line)
{
    static const struct {
        const char *kind;
        void (*add)(struct support_site *s, struct line *line, const char *name);
    } kinds[] = {{"area", add_area},   {"bus", add_bus},   {"device", add_device},
                 {"point", add_point}, {"rule", add_rule}, {"output", add_output}};
    char kind[WORD_MAX], name[WORD_MAX];

    if (!next_word(line, kind))
        return;
    if (!next_word(line, name))
        refuse(line, "a name expected");
    for (size_t i = 0; i < RG_COUNT(kinds); i++) {
        if (strcmp(kind, kinds[i].kind) == 0) {
            kinds[i].add(s, line, keep(s, name));
            return;
        }
    }
    refuse(line, "unknown kind");
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
    s->site.areas = room(s, lines, sizeof *s->site.areas);
    s->site.buses = room(s, lines, sizeof *s->site.buses);
    s->site.devices = room(s, lines, sizeof *s->site.devices);
    s->site.points = room(s, lines, sizeof *s->site.points);
    s->site.rules = room(s, lines, sizeof *s->site.rules);
    s->site.outputs = room(s, lines, sizeof *s->site.outputs);
    s->site.uplinks = room(s, 1, sizeof *s->site.uplinks);
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
