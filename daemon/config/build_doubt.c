/* doubt: when the readings of a point are not to be believed. */
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "model/site_order.h"

/* As of `offline`: one bad reading of a device that is asked seldom is no alarm. */
#define AFTER_POLLS 3
#define AFTER_LEAST_MS 10000
#define AFTER_BY_POLLS (-1) /* nothing was said: how often a point is read is known once all are built */

/* A twin whose point is found once all have their names. */
struct twin_want {
    struct twin_want *next;
    const struct node *of;
    uint32_t point;
};

void build_doubts(struct build *b, const struct node *map, struct site_doubt *standard)
{
    *standard = (struct site_doubt){.level = LEVEL_NONE, .twin = SITE_NONE};
    fill_map(b->ld, SECTION_DOUBTS, map, standard);
    if (!node_get(map, "after"))
        standard->after_ms = AFTER_BY_POLLS;
}

static void take_rate(struct build *b, const struct node *map, struct site_doubt *doubt)
{
    struct doubt_rate_item rate = {.change = 1}; /* one that is refused brings no further complaint */

    if (!map)
        return;
    fill_map(b->ld, SECTION_DOUBT_RATE, map, &rate);
    if (rate.per_ms == 0 || !node_get(map, "change"))
        return; /* missing, reported already */
    if (rate.change == 0) {
        issue_error(b->ld, node_place(node_get(map, "change")),
                    "`change` must be above 0: any change at all would be a doubt");
        return;
    }
    doubt->has_rate = true;
    doubt->rate_per_s = rate.change * 1000 / (double)rate.per_ms;
}

static void take_twin(struct build *b, const struct node *map, uint32_t index, struct site_doubt *doubt)
{
    struct twin_item twin = {.point = NULL};
    struct twin_want *want;

    if (!map)
        return;
    fill_map(b->ld, SECTION_TWIN, map, &twin);
    want = twin.point ? load_scratch(b->ld, 1, sizeof *want) : NULL;
    if (!want)
        return;
    *want = (struct twin_want){.next = b->twins, .of = twin.point, .point = index};
    b->twins = want;
    doubt->has_twin = true;
    doubt->twin_within = twin.within;
}

/* What is looked at for an alarm that is switched off would look like protection and be none. */
static void check_level(struct build *b, const struct node *map)
{
    static const char *const keys[] = {"flat", "rate", "twin"};

    for (size_t i = 0; i < RG_COUNT(keys); i++) {
        const struct node *given = node_get(map, keys[i]);

        if (given)
            issue_error(b->ld, node_key_place(given),
                        "`%s` has no effect: the `level` of `doubt` is none, here or at the device", keys[i]);
    }
}

void build_doubt(struct build *b, const struct site_doubt *standard, bool none, const struct node *map,
                 struct site_point *point, uint32_t index)
{
    struct doubt_item item = {.doubt = *standard};
    const struct node *band = node_get(map, "flat_band");

    if (!map) {
        point->doubt = none ? (struct site_doubt){.level = LEVEL_NONE, .twin = SITE_NONE} : *standard;
        return;
    }
    fill_map(b->ld, SECTION_DOUBT, map, &item);
    if (band && !node_get(map, "flat"))
        issue_error(b->ld, node_key_place(band), "`flat_band` means nothing without `flat`");
    take_rate(b, item.rate, &item.doubt);
    take_twin(b, item.twin, index, &item.doubt);
    if (item.doubt.level == LEVEL_NONE)
        check_level(b, map);
    point->doubt = item.doubt;
}

static void find_twins(struct build *b)
{
    for (const struct twin_want *want = b->twins; want; want = want->next) {
        struct site_point *point = &b->site->points[want->point];

        point->doubt.twin = point_find(b, point->device, want->of);
        if (point->doubt.twin == want->point)
            issue_error(b->ld, node_place(want->of), "a point cannot be its own `twin`: `%s`",
                        shown(want->of->text).text);
    }
}

static void take_standard_after(struct build *b)
{
    int64_t *poll = load_scratch(b->ld, b->site->point_count + 1, sizeof *poll);

    if (!poll)
        return;
    site_polls(b->site, poll);
    for (size_t i = 0; i < b->site->point_count; i++) {
        struct site_doubt *doubt = &b->site->points[i].doubt;
        int64_t after_ms = AFTER_POLLS * poll[i];

        if (doubt->after_ms == AFTER_BY_POLLS)
            doubt->after_ms = after_ms > AFTER_LEAST_MS ? after_ms : AFTER_LEAST_MS;
    }
}

void build_doubts_end(struct build *b)
{
    find_twins(b);
    take_standard_after(b);
}
