/* What is switched. */
#include "config/table_words.h"

static const struct choice stops[] = {
    {"off", OUTPUT_STOP_OFF}, {"on", OUTPUT_STOP_ON}, {"keep", OUTPUT_STOP_KEEP}, {NULL, 0}};

static const struct key_row rows[] = {
    KEY(OUTPUT, "name", ID, "Its name, unique among the outputs.", REQUIRED,
        INTO(struct output_item, output.name)),
    KEY(OUTPUT, "label", TEXT, "What people call it.", RANGE(0, 256), INTO(struct output_item, output.label)),
    KEY(OUTPUT, "device", ID,
        "The relay module it is on: a device, which needs no points when only outputs use it.", REQUIRED,
        INTO(struct output_item, device)),
    KEY(OUTPUT, "coil", INT, "Zero-based protocol address of its coil.", ONE_OF, RANGE(0, 65535),
        INTO(struct output_item, at.space[SPACE_COIL])),
    KEY(OUTPUT, "holding", INT, "Zero-based protocol address of its holding register; with on and off.",
        ONE_OF, RANGE(0, 65535), INTO(struct output_item, at.space[SPACE_HOLDING])),
    KEY(OUTPUT, "register", REGISTER,
        "The manuals' one-based notation: 0xxxx coil, 4xxxx holding; five or six digits.", ONE_OF,
        INTO(struct output_item, at.reg)),
    KEY(OUTPUT, "on", INT, "What is written to the register to switch it on.", RANGE(0, 65535),
        INTO(struct output_item, on)),
    KEY(OUTPUT, "off", INT, "What is written to the register to switch it off.", RANGE(0, 65535),
        INTO(struct output_item, off)),
    KEY(OUTPUT, "invert", BOOL, "The coil is 0 while the output is on.", STANDARD("false"),
        INTO(struct output_item, invert)),
    KEY(OUTPUT, "when", PART, "What it follows.", REQUIRED, OF(WHEN), INTO(struct output_item, when)),
    KEY(OUTPUT, "silenceable", BOOL,
        "`riskgatectl silence` switches it off until the next announcement: for sounders, never for fans.",
        STANDARD("false"), INTO(struct output_item, output.silenceable)),
    KEY(OUTPUT, "on_stop", CHOICE, "What becomes of it when the daemon stops.", STANDARD("keep"),
        NAMES(stops), INTO(struct output_item, output.on_stop)),
    KEY(OUTPUT, "assert", DURATION,
        "It is read back, and written again if need be, this often; the longest gap between tries of a "
        "module "
        "that does not answer.",
        RANGE(1e3, HOUR), STANDARD("10s"), INTO(struct output_item, output.assert_ms)),
    KEY(OUTPUT, "fault", CHOICE, "Level of the alarm while it cannot be brought to its state.",
        STANDARD("yellow"), NAMES(table_levels), INTO(struct output_item, output.fault_level)),
    KEY(WHEN, "area", ID, "The area, and all below it, whose highest level it follows.", ONE_OF,
        INTO(struct when_item, area)),
    KEY(WHEN, "rule", ID, "The rule whose alarms' highest level it follows.", ONE_OF,
        INTO(struct when_item, rule)),
    KEY(WHEN, "from", CHOICE, "The lowest level at which it is on.", REQUIRED, NAMES(table_levels),
        INTO(struct when_item, from)),
};

const struct table_part table_outputs = {rows, RG_COUNT(rows)};
