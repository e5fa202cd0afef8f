#include "config/table.h"

#include <string.h>

#include "config/table_words.h"

const struct choice table_levels[] = {
    {"blue", LEVEL_BLUE}, {"yellow", LEVEL_YELLOW}, {"orange", LEVEL_ORANGE}, {"red", LEVEL_RED}, {NULL, 0}};

const struct choice table_levels_or_none[] = {{"none", LEVEL_NONE},     {"blue", LEVEL_BLUE},
                                              {"yellow", LEVEL_YELLOW}, {"orange", LEVEL_ORANGE},
                                              {"red", LEVEL_RED},       {NULL, 0}};

/* `comm` is the gateway's own word. */
const struct choice table_qualities[] = {{"good", QUALITY_GOOD},
                                         {"sensor", QUALITY_SENSOR},
                                         {"inhibited", QUALITY_INHIBITED},
                                         {"device", QUALITY_DEVICE},
                                         {"range", QUALITY_RANGE},
                                         {"stale", QUALITY_STALE},
                                         {NULL, 0}};

static const struct table_part *const parts[] = {&table_gateway, &table_acquire, &table_convert,
                                                 &table_rules,   &table_outputs, &table_profile};

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
    [SECTION_RECORD] = "`record`",
    [SECTION_POINT] = "a point",
    [SECTION_AREA] = "an area",
    [SECTION_RESPONSIBLE] = "`responsible`",
    [SECTION_RULE] = "a rule",
    [SECTION_LIMITS] = "a set of limits",
    [SECTION_LIMIT] = "a limit",
    [SECTION_SIGNAL] = "`signal`",
    [SECTION_VOTE] = "a vote",
    [SECTION_SITE_LIMIT] = "a number of the site",
    [SECTION_GUARD] = "the `when` of a rule",
    [SECTION_SHELVING] = "`alarms`",
    [SECTION_PERMIT] = "a permit",
    [SECTION_DOUBTS] = "`doubt`",
    [SECTION_DOUBT] = "`doubt`",
    [SECTION_DOUBT_RATE] = "the `rate` of `doubt`",
    [SECTION_TWIN] = "`twin`",
    [SECTION_CONTROL] = "`control`",
    [SECTION_REPORTS] = "`reports`",
    [SECTION_SELF_TEST] = "`self_test`",
    [SECTION_LOG] = "`log`",
    [SECTION_METRICS] = "`metrics`",
    [SECTION_RS485] = "`rs485`",
    [SECTION_LINE] = "`line`",
    [SECTION_STATUS] = "a `status`",
    [SECTION_HEARTBEAT] = "`heartbeat`",
    [SECTION_TRIGGER] = "`trigger`",
    [SECTION_DECIMALS] = "`decimals_from`",
    [SECTION_CONVERT] = "`convert`",
    [SECTION_TWO_POINT] = "`two_point`",
    [SECTION_THERMISTOR] = "`thermistor`",
    [SECTION_WIRE] = "`vibrating_wire`",
    [SECTION_POLYNOMIAL] = "`polynomial`",
    [SECTION_TEMPERATURE] = "`temperature`",
    [SECTION_BAROMETER] = "`barometer`",
    [SECTION_CONCENTRATION] = "`concentration`",
    [SECTION_PRESSURE] = "`pressure`",
    [SECTION_DERIVED] = "a group of `derived`",
    [SECTION_DERIVED_POINT] = "a derived point",
    [SECTION_OPERAND] = "an operand",
    [SECTION_BEACH] = "`beach`",
    [SECTION_GAUGES] = "a slope between two gauges",
    [SECTION_FREEBOARD] = "`freeboard`",
    [SECTION_INCREASE] = "`increase`",
    [SECTION_OUTPUT] = "an output",
    [SECTION_WHEN] = "the `when` of an output",
    [SECTION_PROFILE] = "a profile",
    [SECTION_UNIT_CODES] = "an entry of `unit_codes`",
    [SECTION_VECTOR] = "a vector",
};

const struct key_row *table_rows(enum section section, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < RG_COUNT(parts); i++) {
        const struct key_row *row = parts[i]->rows;
        const struct key_row *end = row + parts[i]->count;

        while (row < end && row->section != section)
            row++;
        while (row + *count < end && row[*count].section == section)
            (*count)++;
        if (*count > 0)
            return row;
    }
    return NULL;
}

void table_index(struct table_rows rows[SECTION_COUNT])
{
    for (unsigned s = 0; s < SECTION_COUNT; s++)
        rows[s].rows = table_rows((enum section)s, &rows[s].count);
}

const struct key_row *table_key_of(const struct table_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].name, name) == 0)
            return &rows->rows[i];
    return NULL;
}

const struct key_row *table_key(enum section section, const char *name)
{
    struct table_rows rows;

    rows.rows = table_rows(section, &rows.count);
    return table_key_of(&rows, name);
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
