/* convert: what makes the value of a point. */
#include <math.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items_convert.h"

#define ENTRIES_MAX 1000

/* A list of two numbers. */
static bool take_pair(struct build *b, const char *key, const struct node *node, double pair[2])
{
    bool good = node->kind == NODE_LIST && node->count == 2;

    if (!good) {
        issue_error(b->ld, node_place(node), "`%s` must be a list of two numbers", key);
        return false;
    }
    good = fill_number(b->ld, key, node->first, &pair[0]);
    return fill_number(b->ld, key, node->first->next, &pair[1]) && good;
}

static void take_line(struct build *b, const struct node *map, const struct point_item *item,
                      struct site_convert *convert)
{
    struct two_point_item two = {.from = NULL};
    struct convert_entry *entries = load_keep(b->ld, 2, sizeof *entries);
    double from[2], to[2];
    bool good;

    fill_map(b->ld, SECTION_TWO_POINT, map, &two);
    good = two.from && take_pair(b, "from", two.from, from);
    good = two.to && take_pair(b, "to", two.to, to) && good;
    if (!good || !entries)
        return;
    if (from[0] == from[1])
        issue_error(b->ld, node_place(two.from), "`from` must be two different raw values");
    if (to[0] == to[1])
        issue_error(b->ld, node_place(two.to),
                    "`to` must be two different values: every value would be the same");
    /* What a broken loop reads is on the line like anything else. */
    if (!item->range)
        issue_warning(b->ld, node_key_place(map),
                      "without a `range` what a broken or shorted loop reads is taken for a good value");
    for (int i = 0; i < 2; i++)
        entries[i] = (struct convert_entry){.from = from[i], .to = to[i]};
    *convert = (struct site_convert){.kind = CONVERT_TWO_POINT, .entries = entries, .entry_count = 2};
}

static void take_table(struct build *b, const struct node *list, struct site_convert *convert)
{
    struct convert_entry *entries;
    size_t count = 0;

    if (list->count < 2 || list->count > ENTRIES_MAX) {
        issue_error(b->ld, node_place(list), "`table` must hold 2 to %d pairs, not %u", ENTRIES_MAX,
                    list->count);
        return;
    }
    entries = load_keep(b->ld, list->count, sizeof *entries);
    if (!entries)
        return;
    for (const struct node *node = list->first; node; node = node->next) {
        double pair[2];

        if (!take_pair(b, "table", node, pair))
            return;
        if (count > 0 && pair[0] <= entries[count - 1].from) {
            issue_error(b->ld, node_place(node), "`table` must ascend: %.10g does not follow %.10g", pair[0],
                        entries[count - 1].from);
            return;
        }
        entries[count++] = (struct convert_entry){.from = pair[0], .to = pair[1]};
    }
    *convert = (struct site_convert){.kind = CONVERT_TABLE, .entries = entries, .entry_count = count};
}

/* A constant that makes no difference was meant otherwise. */
static void refuse_zero(struct build *b, const struct node *map, const char *key, double value)
{
    const struct node *node = node_get(map, key);

    if (node && value == 0)
        issue_error(b->ld, node_place(node), "`%s` must not be 0: it would have no effect", key);
}

static void take_correction(struct build *b, enum section section, const struct node *map, uint32_t device,
                            struct site_operand *into, struct correction_item *c)
{
    fill_map(b->ld, section, map, c);
    refuse_zero(b, map, "factor", c->factor);
    if (c->of)
        (void)operand_want(b, device, c->of, c->times, c->plus, map, into);
}

static void check_linear(struct build *b, const struct node *map, const struct site_convert *wire)
{
    static const char *const keys[] = {"zero", "factor", "sign"};

    for (size_t i = 0; i < RG_COUNT(keys); i++) {
        if (!node_get(map, keys[i]))
            issue_error(b->ld, node_place(map),
                        "`%s` is missing in `vibrating_wire`, which has no `polynomial`", keys[i]);
    }
    refuse_zero(b, map, "factor", wire->factor);
}

static void check_polynomial(struct build *b, const struct node *map, const struct node *polynomial,
                             struct site_convert *wire)
{
    static const char *const keys[] = {"factor", "sign"};
    const struct node *c = node_get(polynomial, "c"), *zero = node_get(map, "zero");

    for (size_t i = 0; i < RG_COUNT(keys); i++) {
        const struct node *given = node_get(map, keys[i]);

        if (given)
            issue_error(b->ld, node_key_place(given), "`%s` means nothing beside `polynomial`", keys[i]);
    }
    if (c && zero)
        issue_error(b->ld, node_key_place(zero),
                    "`zero` and the `c` of the polynomial are both given: c follows from zero");
    if (!c && !zero)
        issue_error(b->ld, node_place(polynomial),
                    "`c` is missing in `polynomial`; or give `zero`, from which it follows");
    wire->polynomial = true;
    wire->c_from_zero = zero && !c;
}

static void take_wire(struct build *b, const struct node *map, uint32_t device, struct site_convert *into)
{
    struct wire_item wire = {.wire = {.kind = CONVERT_VIBRATING_WIRE}};
    struct correction_item c;

    fill_map(b->ld, SECTION_WIRE, map, &wire);
    if (wire.polynomial) {
        fill_map(b->ld, SECTION_POLYNOMIAL, wire.polynomial, &wire.wire);
        check_polynomial(b, map, wire.polynomial, &wire.wire);
    } else {
        check_linear(b, map, &wire.wire);
    }
    if (wire.temperature) {
        c = (struct correction_item){.of = NULL};
        take_correction(b, SECTION_TEMPERATURE, wire.temperature, device, &into->temperature, &c);
        wire.wire.has_temperature = true;
        wire.wire.temperature = (struct site_operand){SITE_NONE, c.times, c.plus};
        wire.wire.temperature_zero = c.zero;
        wire.wire.temperature_factor = c.factor;
    }
    if (wire.barometer) {
        c = (struct correction_item){.of = NULL};
        take_correction(b, SECTION_BAROMETER, wire.barometer, device, &into->barometer, &c);
        wire.wire.has_barometer = true;
        wire.wire.barometer = (struct site_operand){SITE_NONE, c.times, c.plus};
        wire.wire.barometer_zero = c.zero;
    }
    *into = wire.wire; /* its points are found later, where they are now */
}

static void take_constants(struct build *b, enum section section, enum convert_kind kind,
                           const struct node *map, struct site_convert *convert)
{
    fill_map(b->ld, section, map, convert);
    convert->kind = kind;
}

void build_convert(struct build *b, struct point_item *item)
{
    struct convert_item given = {.table = NULL};
    struct site_convert *convert;

    if (!item->convert)
        return;
    convert = load_keep(b->ld, 1, sizeof *convert);
    if (!convert)
        return;
    item->point.convert = convert;
    fill_map(b->ld, SECTION_CONVERT, item->convert, &given);
    if (given.two_point)
        take_line(b, given.two_point, item, convert);
    if (given.table)
        take_table(b, given.table, convert);
    if (given.thermistor)
        take_constants(b, SECTION_THERMISTOR, CONVERT_THERMISTOR, given.thermistor, convert);
    if (given.wire)
        take_wire(b, given.wire, item->point.device, convert);
    if (given.concentration)
        take_constants(b, SECTION_CONCENTRATION, CONVERT_CONCENTRATION, given.concentration, convert);
    if (!given.pressure)
        return;
    take_constants(b, SECTION_PRESSURE, CONVERT_PRESSURE, given.pressure, convert);
    if (convert->from == convert->to && node_get(given.pressure, "from") && node_get(given.pressure, "to"))
        issue_error(b->ld, node_place(given.pressure), "`from` and `to` of `pressure` are the same unit");
}
