#include "config/table.h"

#include <string.h>

#include "base/error.h"
#include "config/config.h"
#include "config/items.h"

#define MINUTE 60e3
#define HOUR 3600e3
#define DAY 86400e3
#define CENTURY (36500 * DAY)
#define KIB 1024.0
#define MIB (KIB * KIB)
#define TIB (MIB * MIB)

/* The words of a row. */
#define KEY(section_, name_, kind_, doc_, ...)                                                               \
    {                                                                                                        \
        .section = SECTION_##section_, .name = (name_), .kind = KIND_##kind_, .doc = (doc_), __VA_ARGS__     \
    }
#define LATER(section_, name_, doc_) KEY(section_, name_, NOTHING, doc_, .flags = KEY_LATER)
#define REQUIRED .flags = KEY_REQUIRED
#define ONE_OF .flags = KEY_ONE_OF
#define ANY_OF .flags = KEY_ANY_OF
#define RANGE(min_, max_) .min = (min_), .max = (max_)
#define STANDARD(text) .standard = (text)
#define NAMES(choices_) .choices = (choices_)
#define OF(section_) .of = SECTION_##section_
#define INTO(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

static const struct choice levels[] = {
    {"blue", LEVEL_BLUE}, {"yellow", LEVEL_YELLOW}, {"orange", LEVEL_ORANGE}, {"red", LEVEL_RED}, {NULL, 0}};
static const struct choice levels_or_none[] = {{"none", LEVEL_NONE},     {"blue", LEVEL_BLUE},
                                               {"yellow", LEVEL_YELLOW}, {"orange", LEVEL_ORANGE},
                                               {"red", LEVEL_RED},       {NULL, 0}};
static const struct choice log_levels[] = {{"error", LOG_LEVEL_ERROR},
                                           {"warning", LOG_LEVEL_WARNING},
                                           {"info", LOG_LEVEL_INFO},
                                           {"debug", LOG_LEVEL_DEBUG},
                                           {NULL, 0}};
static const struct choice protocols[] = {{"5", false}, {"3.1.1", true}, {NULL, 0}};
static const struct choice parities[] = {
    {"none", PARITY_NONE}, {"even", PARITY_EVEN}, {"odd", PARITY_ODD}, {NULL, 0}};
/* The speeds that termios and libmodbus both know: libmodbus falls back to 9600 at any other. */
static const struct choice bauds[] = {{"1200", 1200},     {"2400", 2400},     {"4800", 4800},
                                      {"9600", 9600},     {"19200", 19200},   {"38400", 38400},
                                      {"57600", 57600},   {"115200", 115200}, {"230400", 230400},
                                      {"460800", 460800}, {"921600", 921600}, {NULL, 0}};
static const struct choice types[] = {{"bool", TYPE_BOOL},
                                      {"u16", TYPE_U16},
                                      {"i16", TYPE_I16},
                                      {"u32", TYPE_U32},
                                      {"i32", TYPE_I32},
                                      {"u64", TYPE_U64},
                                      {"i64", TYPE_I64},
                                      {"f32", TYPE_F32},
                                      {"f64", TYPE_F64},
                                      {"bcd16", TYPE_BCD16},
                                      {"bcd32", TYPE_BCD32},
                                      {"bytes8.8", TYPE_BYTES8_8},
                                      {NULL, 0}};
static const struct choice orders[] = {
    {"ABCD", ORDER_ABCD}, {"CDAB", ORDER_CDAB}, {"BADC", ORDER_BADC}, {"DCBA", ORDER_DCBA}, {NULL, 0}};
static const struct choice tiers[] = {{"company", TIER_COMPANY},
                                      {"workshop", TIER_WORKSHOP},
                                      {"team", TIER_TEAM},
                                      {"post", TIER_POST},
                                      {NULL, 0}};

static const struct key_row rows[] = {
    KEY(ROOT, "include", PATHS,
        "Other files to take in: paths, or globs in the last part of a path, relative to this file."),
    KEY(ROOT, "gateway", MAP, "Who this gateway is. Given once over all files.", OF(GATEWAY)),
    KEY(ROOT, "store", MAP, "Where and for how long everything is kept. Given once over all files.",
        OF(STORE)),
    KEY(ROOT, "uplinks", ITEMS, "The platforms that are told, each served independently.", OF(UPLINK)),
    KEY(ROOT, "buses", ITEMS, "Lines and connections: each carries one transaction at a time.", OF(BUS)),
    KEY(ROOT, "devices", ITEMS, "What is read.", OF(DEVICE)),
    KEY(ROOT, "areas", ITEMS, "The risk tree: plant, workshops, teams, posts.", OF(AREA)),
    KEY(ROOT, "rules", ITEMS, "What is dangerous.", OF(RULE)),
    KEY(ROOT, "control", MAP, "The door for riskgatectl. Given once over all files.", OF(CONTROL)),
    KEY(ROOT, "log", MAP, "The log on standard error. Given once over all files.", OF(LOG)),
    LATER(ROOT, "outputs", "Sounders, beacons, fans."),
    LATER(ROOT, "self_test", "A marked test alarm that goes the whole way."),
    KEY(GATEWAY, "id", ID, "The name of this gateway in topics and alarm numbers.", REQUIRED,
        INTO(struct site_gateway, id)),
    KEY(GATEWAY, "enterprise", MAP, "Who answers for the place.", REQUIRED, OF(ENTERPRISE)),
    KEY(ENTERPRISE, "code", DIGITS,
        "Unified social credit code, 18 characters; its check character is verified (GB 32100-2015).",
        REQUIRED, RANGE(0, 18), INTO(struct site_gateway, ent_code)),
    KEY(ENTERPRISE, "name", TEXT, "Name of the enterprise.", REQUIRED, RANGE(0, 256),
        INTO(struct site_gateway, ent_name)),
    KEY(ENTERPRISE, "industry", TEXT, "Its industry.", RANGE(0, 256),
        INTO(struct site_gateway, ent_industry)),
    KEY(ENTERPRISE, "region", DIGITS, "Administrative code of the place, 6 digits.", RANGE(0, 6),
        INTO(struct site_gateway, ent_region)),
    KEY(ENTERPRISE, "grid", TEXT, "Supervision grid it belongs to.", RANGE(0, 256),
        INTO(struct site_gateway, ent_grid)),
    KEY(ENTERPRISE, "contact", MAP, "Whom to call.", OF(CONTACT)),
    KEY(ENTERPRISE, "workers", INT, "Number of workers.", RANGE(0, 10000000),
        INTO(struct site_gateway, workers)),
    KEY(CONTACT, "name", TEXT, "Name.", RANGE(0, 256), INTO(struct site_gateway, contact_name)),
    KEY(CONTACT, "phone", DIGITS, "Telephone number.", RANGE(0, 64),
        INTO(struct site_gateway, contact_phone)),
    KEY(STORE, "path", PATH, "The database, relative to the configuration file.", RANGE(0, 4000),
        STANDARD("riskgate.db"), INTO(struct site_store, path)),
    KEY(STORE, "commit", DURATION, "Telemetry is committed at least this often; an alarm at once.",
        RANGE(10, MINUTE), STANDARD("1s"), INTO(struct site_store, commit_ms)),
    KEY(STORE, "retention", MAP, "How long, and how much, is kept.", OF(RETENTION)),
    KEY(RETENTION, "telemetry", DURATION, "Age at which telemetry is dropped.", RANGE(HOUR, CENTURY),
        STANDARD("30d"), INTO(struct site_store, keep_telemetry_ms)),
    KEY(RETENTION, "alarms", DURATION, "Age at which alarms are dropped.", RANGE(HOUR, CENTURY),
        STANDARD("3y"), INTO(struct site_store, keep_alarms_ms)),
    KEY(RETENTION, "events", DURATION, "Age at which events and reports are dropped.", RANGE(HOUR, CENTURY),
        STANDARD("3y"), INTO(struct site_store, keep_events_ms)),
    KEY(RETENTION, "max_size", SIZE, "Size of the whole store.", RANGE(MIB, 64 * TIB), STANDARD("4GiB"),
        INTO(struct site_store, max_size)),
    KEY(UPLINK, "name", ID, "Its name, unique among the uplinks.", REQUIRED,
        INTO(struct uplink_item, uplink.name)),
    KEY(UPLINK, "url", TEXT, "mqtt://host[:1883] or mqtts://host[:8883], never with a password in it.",
        REQUIRED, RANGE(0, 512), INTO(struct uplink_item, url)),
    KEY(UPLINK, "protocol", CHOICE, "MQTT version.", STANDARD("5"), NAMES(protocols),
        INTO(struct uplink_item, uplink.v311)),
    KEY(UPLINK, "client_id", TEXT, "MQTT client identifier; default riskgate-<gateway>-<uplink>.",
        RANGE(0, 256), INTO(struct uplink_item, uplink.client_id)),
    KEY(UPLINK, "username", DIGITS, "MQTT user name.", RANGE(0, 256),
        INTO(struct uplink_item, uplink.username)),
    KEY(UPLINK, "password_file", PATH, "File whose first line is the password.", RANGE(0, 4000),
        INTO(struct uplink_item, uplink.password_file)),
    KEY(UPLINK, "tls", MAP, "Certificates, for mqtts:// only.", OF(TLS)),
    KEY(UPLINK, "topic_root", TEXT, "Default riskgate/v1/<enterprise code>/<gateway>.", RANGE(0, 256),
        INTO(struct uplink_item, uplink.topic_root)),
    KEY(UPLINK, "keepalive", DURATION, "MQTT keep-alive, whole seconds.", RANGE(1e3, 65535e3),
        STANDARD("30s"), INTO(struct uplink_item, uplink.keepalive_ms)),
    KEY(UPLINK, "telemetry", MAP, "Which readings this platform gets.", OF(TELEMETRY)),
    KEY(UPLINK, "alarms", MAP, "Which alarms this platform gets.", OF(ALARMS)),
    KEY(UPLINK, "backfill", MAP, "How a missed stretch is sent.", OF(BACKFILL)),
    KEY(UPLINK, "commands", NOTHING,
        "What this platform may ask for: nothing, in this version; an empty list or none.",
        INTO(struct uplink_item, commands)),
    LATER(UPLINK, "receipts", "A record is done with only when the platform itself says so."),
    KEY(TLS, "ca", PATH, "Certificates of the authorities to trust, PEM; default the system's.",
        RANGE(0, 4000), INTO(struct uplink_item, uplink.ca)),
    KEY(TLS, "cert", PATH, "Client certificate, PEM; with key.", RANGE(0, 4000),
        INTO(struct uplink_item, uplink.cert)),
    KEY(TLS, "key", PATH, "Client key, PEM; with cert.", RANGE(0, 4000),
        INTO(struct uplink_item, uplink.key)),
    KEY(TELEMETRY, "send", BOOL, "Whether it gets telemetry at all.", STANDARD("true"),
        INTO(struct uplink_item, uplink.telemetry_send)),
    KEY(TELEMETRY, "devices", PATTERNS, "Names or globs of the devices whose telemetry it gets; default all.",
        INTO(struct uplink_item, telemetry_devices)),
    KEY(ALARMS, "from", CHOICE, "The lowest level it hears of.", STANDARD("blue"), NAMES(levels),
        INTO(struct uplink_item, uplink.alarms_from)),
    KEY(BACKFILL, "rate", RATE, "Records a second beside live telemetry, or unlimited.",
        RANGE(0.001, 1000000), STANDARD("200/s"), INTO(struct uplink_item, uplink.backfill_rate)),
    KEY(BUS, "name", ID, "Its name, unique among the buses.", REQUIRED, INTO(struct bus_item, bus.name)),
    KEY(BUS, "tcp", ENDPOINT, "Modbus TCP: host:port, an IPv6 address in brackets.", ONE_OF,
        INTO(struct bus_item, tcp)),
    KEY(BUS, "rtu", PATH, "Modbus RTU: the serial line's device file.", ONE_OF, RANGE(0, 4000),
        INTO(struct bus_item, bus.path)),
    KEY(BUS, "rtu_over_tcp", ENDPOINT, "RTU frames through a serial server: host:port.", ONE_OF,
        INTO(struct bus_item, rtu_over_tcp)),
    KEY(BUS, "baud", CHOICE, "Speed of the line; required for rtu, for rtu_over_tcp that of the far line.",
        NAMES(bauds), INTO(struct bus_item, bus.baud)),
    KEY(BUS, "parity", CHOICE, "Parity of the line.", STANDARD("none"), NAMES(parities),
        INTO(struct bus_item, bus.parity)),
    KEY(BUS, "stop_bits", INT, "Stop bits of the line.", RANGE(1, 2), STANDARD("1"),
        INTO(struct bus_item, bus.stop_bits)),
    KEY(BUS, "timeout", DURATION, "For an answer, and for connecting.", RANGE(10, MINUTE), STANDARD("1s"),
        INTO(struct bus_item, bus.timeout_ms)),
    KEY(BUS, "gap", DURATION, "Silence between transactions, beside the 3.5 characters of RTU.",
        RANGE(0, MINUTE), STANDARD("0ms"), INTO(struct bus_item, bus.gap_ms)),
    KEY(DEVICE, "name", NAME,
        "Its name, unique among the devices; without a dot, for a point is called device.point.", REQUIRED,
        INTO(struct device_item, device.name)),
    KEY(DEVICE, "label", TEXT, "What people call it.", RANGE(0, 256), INTO(struct device_item, device.label)),
    KEY(DEVICE, "bus", ID, "The bus it is on.", REQUIRED, INTO(struct device_item, bus)),
    KEY(DEVICE, "unit", INT, "Modbus unit 1 to 247 (0 is the broadcast address); on tcp also 255.", REQUIRED,
        RANGE(1, 255), INTO(struct device_item, device.unit)),
    KEY(DEVICE, "poll", DURATION, "Period of reading.", RANGE(10, 7 * DAY), STANDARD("1s"),
        INTO(struct device_item, device.poll_ms)),
    KEY(DEVICE, "area", ID, "The area its alarms belong to.", INTO(struct device_item, area)),
    KEY(DEVICE, "timeout", DURATION, "For an answer; default the bus's.", RANGE(10, MINUTE),
        INTO(struct device_item, device.timeout_ms)),
    KEY(DEVICE, "retries", INT, "Further tries within one poll.", RANGE(0, 10), STANDARD("0"),
        INTO(struct device_item, device.retries)),
    KEY(DEVICE, "max_registers", INT, "Registers of one request at most; 1: every point by itself.",
        RANGE(1, 125), STANDARD("125"), INTO(struct device_item, device.max_registers)),
    KEY(DEVICE, "max_gap", INT,
        "Unused registers read through to save a request; where the device refuses that, it is read around "
        "them.",
        RANGE(0, 124), STANDARD("8"), INTO(struct device_item, device.max_gap)),
    KEY(DEVICE, "offline", MAP, "When its silence is an alarm.", OF(OFFLINE)),
    KEY(DEVICE, "points", ITEMS, "What is read of it.", REQUIRED, OF(POINT),
        INTO(struct device_item, points)),
    LATER(DEVICE, "profile", "Points from a shipped register map."),
    LATER(DEVICE, "status", "A register that gates the quality of all points."),
    LATER(DEVICE, "record", "How often readings are recorded."),
    KEY(OFFLINE, "after", DURATION, "Silence that raises the alarm; default three polls and at least 10s.",
        RANGE(100, 365 * DAY), INTO(struct device_item, device.offline_after_ms)),
    KEY(OFFLINE, "level", CHOICE, "Its level.", STANDARD("yellow"), NAMES(levels),
        INTO(struct device_item, device.offline_level)),
    KEY(POINT, "name", NAME, "Its name within the device, without a dot.", REQUIRED,
        INTO(struct point_item, point.name)),
    KEY(POINT, "label", TEXT, "What people call it.", RANGE(0, 256), INTO(struct point_item, point.label)),
    KEY(POINT, "coil", INT, "Zero-based protocol address of a coil.", ONE_OF, RANGE(0, 65535),
        INTO(struct point_item, at[SPACE_COIL])),
    KEY(POINT, "discrete", INT, "Zero-based protocol address of a discrete input.", ONE_OF, RANGE(0, 65535),
        INTO(struct point_item, at[SPACE_DISCRETE])),
    KEY(POINT, "input", INT, "Zero-based protocol address of an input register.", ONE_OF, RANGE(0, 65535),
        INTO(struct point_item, at[SPACE_INPUT])),
    KEY(POINT, "holding", INT, "Zero-based protocol address of a holding register.", ONE_OF, RANGE(0, 65535),
        INTO(struct point_item, at[SPACE_HOLDING])),
    KEY(POINT, "register", REGISTER,
        "The manuals' one-based notation: 0xxxx coil, 1xxxx discrete, 3xxxx input, 4xxxx holding; five or "
        "six digits.",
        ONE_OF, INTO(struct point_item, reg)),
    KEY(POINT, "type", CHOICE,
        "Type; required for registers unless bit is given; bool for coils and discrete inputs.", NAMES(types),
        INTO(struct point_item, point.type)),
    KEY(POINT, "order", CHOICE,
        "Order of the bytes on the wire; required for 32- and 64-bit types, never guessed.", NAMES(orders),
        INTO(struct point_item, point.order)),
    KEY(POINT, "bit", INT, "That bit of the register, 0 the lowest.", RANGE(0, 15),
        INTO(struct point_item, point.bit)),
    KEY(POINT, "mask", INT, "And-ed with the raw integer, then shifted right to its lowest bit.",
        RANGE(1, 4294967295), INTO(struct point_item, mask)),
    KEY(POINT, "scale", DECIMAL, "value = raw * scale + offset; default 1.", INTO(struct point_item, scale)),
    KEY(POINT, "offset", DECIMAL, "value = raw * scale + offset; default 0.",
        INTO(struct point_item, offset)),
    KEY(POINT, "unit", TEXT, "Engineering unit.", RANGE(0, 32), INTO(struct point_item, point.unit)),
    KEY(POINT, "range", RANGE, "[least, most] in engineering units, inclusive; a value outside is bad.",
        INTO(struct point_item, range)),
    KEY(POINT, "invalid", RAWS, "Raw values by which the device says that it has none, at most 8.",
        INTO(struct point_item, invalid)),
    LATER(POINT, "convert", "A named conversion."),
    LATER(POINT, "decimals_from", "A register that holds the decimals."),
    LATER(POINT, "change", "The change of value that is recorded."),
    KEY(AREA, "name", ID, "Its name, unique among the areas.", REQUIRED, INTO(struct area_item, area.name)),
    KEY(AREA, "label", TEXT, "What people call it.", RANGE(0, 256), INTO(struct area_item, area.label)),
    KEY(AREA, "parent", ID, "The area it is part of.", INTO(struct area_item, parent)),
    KEY(AREA, "tier", CHOICE, "Its place in the order of responsibility.", NAMES(tiers),
        INTO(struct area_item, area.tier)),
    KEY(AREA, "inherent", CHOICE, "The assessed level.", STANDARD("none"), NAMES(levels_or_none),
        INTO(struct area_item, area.inherent)),
    KEY(AREA, "responsible", MAP, "Who answers for it.", OF(RESPONSIBLE)),
    KEY(AREA, "measure", TEXT, "What is done when it becomes dangerous.", RANGE(0, 512),
        INTO(struct area_item, area.measure)),
    KEY(AREA, "grid", TEXT, "Supervision grid it belongs to.", RANGE(0, 256),
        INTO(struct area_item, area.grid)),
    KEY(RESPONSIBLE, "unit", TEXT, "Department.", RANGE(0, 256), INTO(struct area_item, area.resp_unit)),
    KEY(RESPONSIBLE, "person", TEXT, "Person.", RANGE(0, 256), INTO(struct area_item, area.resp_person)),
    KEY(RESPONSIBLE, "phone", DIGITS, "Telephone number.", RANGE(0, 64),
        INTO(struct area_item, area.resp_phone)),
    KEY(RULE, "name", ID, "Its name, unique among the rules; `offline` is reserved.", REQUIRED,
        INTO(struct rule_item, rule.name)),
    KEY(RULE, "points", PATTERNS, "Full names device.point or globs of them: one, or a list.", REQUIRED,
        INTO(struct rule_item, points)),
    KEY(RULE, "above", MAP, "Holds for value >= limit; limits grow with severity.", ANY_OF, OF(LIMITS),
        INTO(struct rule_item, above)),
    KEY(RULE, "below", MAP, "Holds for value <= limit; limits fall with severity.", ANY_OF, OF(LIMITS),
        INTO(struct rule_item, below)),
    KEY(RULE, "is", LEVELS, "{value: level} for discrete signals.", ANY_OF, INTO(struct rule_item, is)),
    KEY(RULE, "deadband", NUMBER,
        "A level once reached holds until the value is back past its limit by more than this.",
        RANGE(0, 1e300), STANDARD("0"), INTO(struct rule_item, rule.deadband)),
    KEY(RULE, "on_delay", DURATION, "A level must hold that long before it is raised.", RANGE(0, DAY),
        STANDARD("0s"), INTO(struct rule_item, rule.on_delay_ms)),
    KEY(RULE, "off_delay", DURATION, "The lower level must hold that long before the alarm steps down.",
        RANGE(0, DAY), STANDARD("0s"), INTO(struct rule_item, rule.off_delay_ms)),
    KEY(RULE, "message", TEXT, "What the alarm says.", RANGE(0, 512), INTO(struct rule_item, rule.message)),
    LATER(RULE, "signal", "Another signal than the value."),
    LATER(RULE, "rate", "Change per time."),
    LATER(RULE, "mean", "Mean over a window."),
    LATER(RULE, "sum", "Sum over a window."),
    LATER(RULE, "max", "Highest of a window."),
    LATER(RULE, "min", "Lowest of a window."),
    LATER(RULE, "delta", "Increase of a counter."),
    LATER(RULE, "twa", "Time-weighted average."),
    LATER(RULE, "flat", "Unchanged for that long."),
    LATER(RULE, "latch", "Clears only when acknowledged."),
    LATER(RULE, "vote", "So many of so many points."),
    LATER(RULE, "when", "Armed only in a state of the plant."),
    KEY(LIMITS, "blue", LIMIT, "The limit of this level.", ANY_OF,
        INTO(struct limits_item, limit[LEVEL_BLUE])),
    KEY(LIMITS, "yellow", LIMIT, "The limit of this level.", ANY_OF,
        INTO(struct limits_item, limit[LEVEL_YELLOW])),
    KEY(LIMITS, "orange", LIMIT, "The limit of this level.", ANY_OF,
        INTO(struct limits_item, limit[LEVEL_ORANGE])),
    KEY(LIMITS, "red", LIMIT, "The limit of this level.", ANY_OF, INTO(struct limits_item, limit[LEVEL_RED])),
    KEY(CONTROL, "socket", PATH, "Path of the Unix socket, relative to the configuration file.",
        RANGE(0, 4000), INTO(struct site, control_socket)),
    KEY(LOG, "level", CHOICE, "The least important that is logged.", STANDARD("info"), NAMES(log_levels),
        INTO(struct site, log_level)),
};

/* What each section is called in messages. */
static const char *const titles[SECTION_COUNT] = {
    [SECTION_ROOT] = "the top level",
    [SECTION_GATEWAY] = "`gateway`",
    [SECTION_ENTERPRISE] = "`enterprise`",
    [SECTION_CONTACT] = "`contact`",
    [SECTION_STORE] = "`store`",
    [SECTION_RETENTION] = "`retention`",
    [SECTION_UPLINK] = "an uplink",
    [SECTION_TLS] = "`tls`",
    [SECTION_TELEMETRY] = "`telemetry`",
    [SECTION_ALARMS] = "`alarms`",
    [SECTION_BACKFILL] = "`backfill`",
    [SECTION_BUS] = "a bus",
    [SECTION_DEVICE] = "a device",
    [SECTION_OFFLINE] = "`offline`",
    [SECTION_POINT] = "a point",
    [SECTION_AREA] = "an area",
    [SECTION_RESPONSIBLE] = "`responsible`",
    [SECTION_RULE] = "a rule",
    [SECTION_LIMITS] = "a set of limits",
    [SECTION_CONTROL] = "`control`",
    [SECTION_LOG] = "`log`",
};

const struct key_row *table_rows(enum section section, size_t *count)
{
    size_t first = 0;

    while (first < RG_COUNT(rows) && rows[first].section != section)
        first++;
    *count = 0;
    while (first + *count < RG_COUNT(rows) && rows[first + *count].section == section)
        (*count)++;
    return &rows[first];
}

const char *table_title(enum section section)
{
    return titles[section];
}

const struct choice *table_choice(const struct choice *choices, const char *name)
{
    for (; choices->name; choices++)
        if (strcmp(choices->name, name) == 0)
            return choices;
    return NULL;
}
