/* What is dangerous, and where. */
#include "config/config.h"
#include "config/table_words.h"

static const struct choice tiers[] = {{"company", TIER_COMPANY},
                                      {"workshop", TIER_WORKSHOP},
                                      {"team", TIER_TEAM},
                                      {"post", TIER_POST},
                                      {NULL, 0}};

static const struct choice aggregates[] = {
    {"highest", AGGREGATE_HIGHEST}, {"gb39496", AGGREGATE_GB39496}, {NULL, 0}};
static const struct choice bads[] = {{"counts", VOTE_BAD_COUNTS}, {"holds", VOTE_BAD_HOLDS}, {NULL, 0}};

#define ANY RANGE(-1e300, 1e300)

/* The windows that a signal can look back over, as keys into a struct signal_item. One second at least: shorter ones
 * are no more than the last sample. */
#define WINDOW(section_, name_, kind_, doc_, flags_, type, field)                                            \
    KEY(section_, name_, DURATION, doc_, .flags = (flags_), RANGE(1e3, 366 * DAY),                           \
        INTO(type, field[kind_])) /* NOLINT(bugprone-macro-parentheses): the name of a member */
#define WINDOW_KEYS(section_, flags_, type, field)                                                           \
    WINDOW(section_, "rate", SIGNAL_RATE, "The change per that time, over that time.", flags_, type, field), \
        WINDOW(section_, "mean", SIGNAL_MEAN, "The mean of that time, weighted by time.", flags_, type,      \
               field),                                                                                       \
        WINDOW(section_, "sum", SIGNAL_SUM, "The sum of that time's samples.", flags_, type, field),         \
        WINDOW(section_, "max", SIGNAL_MAX, "The highest sample of that time.", flags_, type, field),        \
        WINDOW(section_, "min", SIGNAL_MIN, "The lowest sample of that time.", flags_, type, field),         \
        WINDOW(section_, "delta", SIGNAL_DELTA, "What a counter has grown by in that time.", flags_, type,   \
               field),                                                                                       \
        WINDOW(section_, "twa", SIGNAL_TWA,                                                                  \
               "Time-weighted average exposure: value times time, divided by the whole of that time.",       \
               flags_, type, field),                                                                         \
        WINDOW(section_, "flat", SIGNAL_FLAT, "1 when unchanged for that long, else 0.", flags_, type,       \
               field)

static const struct key_row rows[] = {
    KEY(AREA, "name", ID, "Its name, unique among the areas.", REQUIRED, INTO(struct area_item, area.name)),
    KEY(AREA, "label", TEXT, "What people call it.", RANGE(0, 256), INTO(struct area_item, area.label)),
    KEY(AREA, "parent", ID, "The area it is part of.", INTO(struct area_item, parent)),
    KEY(AREA, "tier", CHOICE, "Its place in the order of responsibility.", NAMES(tiers),
        INTO(struct area_item, area.tier)),
    KEY(AREA, "inherent", CHOICE, "The assessed level.", STANDARD("none"), NAMES(table_levels_or_none),
        INTO(struct area_item, area.inherent)),
    KEY(AREA, "responsible", MAP, "Who answers for it.", OF(RESPONSIBLE)),
    KEY(AREA, "measure", TEXT, "What is done when it becomes dangerous.", RANGE(0, 512),
        INTO(struct area_item, area.measure)),
    KEY(AREA, "grid", TEXT, "Supervision grid it belongs to.", RANGE(0, 256),
        INTO(struct area_item, area.grid)),
    KEY(AREA, "aggregate", CHOICE,
        "How its level follows from the alarms in it and below: the highest, or many of one kind as one of a "
        "higher level (GB 39496-2020 5.5.4).",
        STANDARD("highest"), NAMES(aggregates), INTO(struct area_item, area.aggregate)),
    KEY(RESPONSIBLE, "unit", TEXT, "Department.", RANGE(0, 256), INTO(struct area_item, area.resp_unit)),
    KEY(RESPONSIBLE, "person", TEXT, "Person.", RANGE(0, 256), INTO(struct area_item, area.resp_person)),
    KEY(RESPONSIBLE, "phone", DIGITS, "Telephone number.", RANGE(0, 64),
        INTO(struct area_item, area.resp_phone)),
    KEY(RULE, "name", ID,
        "Its name, unique among the rules; `offline`, `output`, `doubt` and `self_test` are reserved.",
        REQUIRED, INTO(struct rule_item, rule.name)),
    KEY(RULE, "points", PATTERNS, "Full names device.point or globs of them: one, or a list; or a vote.",
        ONE_OF, INTO(struct rule_item, points)),
    KEY(RULE, "optional", BOOL, "Where it matches no point the rule is left out; for rule packs.",
        STANDARD("false"), INTO(struct rule_item, optional)),
    KEY(RULE, "signal", SIGNAL, "What of the point it watches: `value`, or one window such as {mean: 15m}.",
        OF(SIGNAL), INTO(struct rule_item, signal)),
    WINDOW_KEYS(RULE, 0u, struct rule_item, windows.window_ms),
    KEY(RULE, "coverage", NUMBER,
        "Per cent of a window that good samples must cover; with less the signal is not known.",
        RANGE(1, 100), STANDARD("75"), INTO(struct rule_item, coverage)),
    KEY(RULE, "band", NUMBER, "Of flat: the largest difference that still counts as unchanged.",
        RANGE(0, 1e300), STANDARD("0"), INTO(struct rule_item, rule.signal.band)),
    KEY(RULE, "wrap", NUMBER,
        "Of delta: the counter goes from just below this to 0; without it every step down is a reset.",
        RANGE(0, 1e300), STANDARD("0"), INTO(struct rule_item, rule.signal.wrap)),
    KEY(RULE, "above", MAP, "Holds for value >= limit; limits grow with severity.", ANY_OF, OF(LIMITS),
        INTO(struct rule_item, above)),
    KEY(RULE, "below", MAP, "Holds for value <= limit; limits fall with severity.", ANY_OF, OF(LIMITS),
        INTO(struct rule_item, below)),
    KEY(RULE, "is", LEVELS, "{value: level} for discrete signals.", ANY_OF, INTO(struct rule_item, is)),
    KEY(RULE, "deadband", OPEN,
        "A level once reached holds until the value is back past its limit by more than this; default 0.",
        OF(SITE_LIMIT), INTO(struct rule_item, deadband)),
    KEY(RULE, "on_delay", DURATION, "A level must hold that long before it is raised.", RANGE(0, DAY),
        STANDARD("0s"), INTO(struct rule_item, rule.on_delay_ms)),
    KEY(RULE, "off_delay", DURATION, "The lower level must hold that long before the alarm steps down.",
        RANGE(0, DAY), STANDARD("0s"), INTO(struct rule_item, rule.off_delay_ms)),
    KEY(RULE, "message", TEXT, "What the alarm says.", RANGE(0, 512), INTO(struct rule_item, rule.message)),
    KEY(RULE, "latch", LATCH,
        "true: an alarm clears only when it has been acknowledged, too; or the level from which on that "
        "holds.",
        INTO(struct rule_item, latch)),
    KEY(RULE, "vote", PART, "One alarm for several points, when so many of them are at a level.", ONE_OF,
        OF(VOTE), INTO(struct rule_item, vote)),
    KEY(RULE, "when", PART, "Armed only while this holds; an alarm is suppressed meanwhile.", OF(GUARD),
        INTO(struct rule_item, when)),
    KEY(RULE, "permit", ID, "Armed only while this permit is open.", INTO(struct rule_item, permit)),
    KEY(RULE, "basis", BASIS, "Standard and clause that the limits come from: one text, or {level: text}.",
        RANGE(0, 256), INTO(struct rule_item, basis)),
    KEY(LIMITS, "blue", LIMIT, "The limit of this level.", ANY_OF, OF(LIMIT),
        INTO(struct limits_item, limit[LEVEL_BLUE])),
    KEY(LIMITS, "yellow", LIMIT, "The limit of this level.", ANY_OF, OF(LIMIT),
        INTO(struct limits_item, limit[LEVEL_YELLOW])),
    KEY(LIMITS, "orange", LIMIT, "The limit of this level.", ANY_OF, OF(LIMIT),
        INTO(struct limits_item, limit[LEVEL_ORANGE])),
    KEY(LIMITS, "red", LIMIT, "The limit of this level.", ANY_OF, OF(LIMIT),
        INTO(struct limits_item, limit[LEVEL_RED])),
    KEY(LIMIT, "of", POINT,
        "The point whose last good value it follows; without a dot one of the same device.", ONE_OF,
        INTO(struct limit_item, of)),
    KEY(LIMIT, "value", ID, "The name of a value of the site, given in `values`.", ONE_OF,
        INTO(struct limit_item, value)),
    KEY(LIMIT, "times", NUMBER, "That times this.", ANY, STANDARD("1"), INTO(struct limit_item, times)),
    KEY(LIMIT, "plus", NUMBER, "And this added.", ANY, STANDARD("0"), INTO(struct limit_item, plus)),
    WINDOW_KEYS(SIGNAL, KEY_ONE_OF, struct signal_item, window_ms),
    KEY(VOTE, "need", INT, "So many of the points must be at a level.", REQUIRED,
        RANGE(1, CONFIG_VOTE_MEMBERS), INTO(struct vote_item, need)),
    KEY(VOTE, "points", PATTERNS, "Full names device.point or globs of them: one, or a list; 2 to 64 points.",
        REQUIRED, INTO(struct vote_item, points)),
    KEY(VOTE, "bad", CHOICE,
        "What a point with a bad reading does: it counts with the others, so that fewer are needed, or it "
        "holds the level it had.",
        STANDARD("counts"), NAMES(bads), INTO(struct vote_item, bad)),
    KEY(GUARD, "point", POINT,
        "What it looks at; without a dot a point of the same device as the watched one.", REQUIRED,
        INTO(struct guard_item, point)),
    KEY(GUARD, "is", IS, "The value, or one of a list.", ANY_OF, INTO(struct guard_item, is)),
    KEY(GUARD, "above", OPEN, "The value is this or more.", ANY_OF, OF(SITE_LIMIT),
        INTO(struct guard_item, above)),
    KEY(GUARD, "below", OPEN, "The value is this or less.", ANY_OF, OF(SITE_LIMIT),
        INTO(struct guard_item, below)),
    KEY(SITE_LIMIT, "value", ID, "The name of a value of the site, given in `values`.", REQUIRED,
        INTO(struct limit_item, value)),
    KEY(SITE_LIMIT, "times", NUMBER, "That times this.", ANY, STANDARD("1"), INTO(struct limit_item, times)),
    KEY(SITE_LIMIT, "plus", NUMBER, "And this added.", ANY, STANDARD("0"), INTO(struct limit_item, plus)),
    KEY(DOUBTS, "level", CHOICE, "Level of the alarm `doubt`; none: no alarm.", STANDARD("yellow"),
        NAMES(table_levels_or_none), INTO(struct site_doubt, level)),
    KEY(DOUBTS, "after", DURATION,
        "How long a doubt must last; default three polls and at least 10s. A derived point goes by its "
        "slowest source.",
        RANGE(0, DAY), INTO(struct site_doubt, after_ms)),
    KEY(DOUBT, "level", CHOICE, "Level of the alarm `doubt`; none: no alarm. Default the device's.",
        NAMES(table_levels_or_none), INTO(struct doubt_item, doubt.level)),
    KEY(DOUBT, "after", DURATION, "How long a doubt must last; default the device's.", RANGE(0, DAY),
        INTO(struct doubt_item, doubt.after_ms)),
    KEY(DOUBT, "flat", DURATION, "Unchanged for that long.", RANGE(1e3, 366 * DAY),
        INTO(struct doubt_item, doubt.flat_ms)),
    KEY(DOUBT, "flat_band", NUMBER, "The largest difference that still counts as unchanged.", RANGE(0, 1e300),
        INTO(struct doubt_item, doubt.flat_band)),
    KEY(DOUBT, "rate", PART, "A change faster than is possible.", OF(DOUBT_RATE),
        INTO(struct doubt_item, rate)),
    KEY(DOUBT, "twin", PART, "It differs from another point that measures the same.", OF(TWIN),
        INTO(struct doubt_item, twin)),
    KEY(DOUBT_RATE, "change", NUMBER, "More than this, either way.", REQUIRED, RANGE(0, 1e300),
        INTO(struct doubt_rate_item, change)),
    KEY(DOUBT_RATE, "per", DURATION, "In that time.", REQUIRED, RANGE(1, DAY),
        INTO(struct doubt_rate_item, per_ms)),
    KEY(TWIN, "point", POINT, "The other point; without a dot one of the same device.", REQUIRED,
        INTO(struct twin_item, point)),
    KEY(TWIN, "within", NUMBER, "They may differ by this much.", REQUIRED, RANGE(0, 1e300),
        INTO(struct twin_item, within)),
};

const struct table_part table_rules = {rows, RG_COUNT(rows)};
