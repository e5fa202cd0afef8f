/* doubt: when the readings of a point are not to be believed. */
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "model/site_order.h"

/* As of `offline`: one bad reading of a device that is asked seldom is no alarm. */
#define AFTER_POLLS 3
#define AFTER_LEAST_MS 10000
#define AFTER_BY_POLLS (-1) /* nothing was said: how often a point is read is known once all are built */
#define DOUBTS_LAST 8       /* that a point's doubt is compared with */

/* A twin whose point is found once all have their names. */
struct twin_want {
    struct twin_want *next;
    const struct node *of;
    uint32_t point;
    struct site_doubt *into;
};

const struct site_doubt *build_doubts(struct build *b, const struct node *map)
{
    static const struct site_doubt never = {.level = LEVEL_NONE, .twin = SITE_NONE};
    struct site_doubt *standard = load_scratch(b->ld, 1, sizeof *standard);

    if (!standard)
        return &never;
    *standard = never;
    fill_map(b->ld, SECTION_DOUBTS, map, standard);
    if (!node_get(map, "after"))
        standard->after_ms = AFTER_BY_POLLS;
    return standard;
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

/* doubt stays where it is. */
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
    *want = (struct twin_want){.next = b->twins, .of = twin.point, .point = index, .into = doubt};
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

/* Of the load's scratch memory until all is known; see keep_doubts. */
void build_doubt(struct build *b, const struct site_doubt *standard, bool none, const struct node *map,
                 struct site_point *point, uint32_t index)
{
    const struct node *band = node_get(map, "flat_band");
    struct doubt_item item = {.doubt = *standard};
    struct site_doubt *doubt;

    if (!map) {
        point->doubt = none || standard->level == LEVEL_NONE ? NULL : standard;
        return;
    }
    doubt = load_scratch(b->ld, 1, sizeof *doubt);
    if (!doubt)
        return;
    fill_map(b->ld, SECTION_DOUBT, map, &item);
    *doubt = item.doubt;
    if (band && !node_get(map, "flat"))
        issue_error(b->ld, node_key_place(band), "`flat_band` means nothing without `flat`");
    take_rate(b, item.rate, doubt);
    take_twin(b, item.twin, index, doubt);
    if (doubt->level == LEVEL_NONE)
        check_level(b, map);
    point->doubt = doubt->level == LEVEL_NONE ? NULL : doubt;
}

static void find_twins(struct build *b)
{
    for (const struct twin_want *want = b->twins; want; want = want->next) {
        want->into->twin = point_find(b, b->site->points[want->point].device, want->of);
        if (want->into->twin == want->point)
            issue_error(b->ld, node_place(want->of), "a point cannot be its own `twin`: `%s`",
                        shown(want->of->text).text);
    }
}

static bool same_doubt(const struct site_doubt *x, const struct site_doubt *y)
{
    return x->level == y->level && x->after_ms == y->after_ms && x->flat_ms == y->flat_ms &&
           x->flat_band == y->flat_band && x->has_rate == y->has_rate && x->rate_per_s == y->rate_per_s &&
           x->has_twin == y->has_twin && x->twin == y->twin && x->twin_within == y->twin_within;
}

/* What holds for a point, kept for the site; nearly always what held for one of the last few. */
static const struct site_doubt *keep_doubt(struct build *b, const struct site_doubt *doubt,
                                           const struct site_doubt *last[DOUBTS_LAST], unsigned *next)
{
    struct site_doubt *kept;

    for (unsigned i = 0; i < DOUBTS_LAST && last[i]; i++)
        if (same_doubt(doubt, last[i]))
            return last[i];
    kept = load_keep(b->ld, 1, sizeof *kept);
    if (!kept)
        return NULL;
    *kept = *doubt;
    last[(*next)++ % DOUBTS_LAST] = kept;
    return kept;
}

static void keep_doubts(struct build *b)
{
    int64_t *poll = load_scratch(b->ld, b->site->point_count + 1, sizeof *poll);
    const struct site_doubt *last[DOUBTS_LAST] = {NULL};
    unsigned next = 0;

    if (!poll)
        return;
    site_polls(b->site, poll);
    for (size_t i = 0; i < b->site->point_count; i++) {
        struct site_point *point = &b->site->points[i];
        int64_t after_ms = AFTER_POLLS * poll[i];
        struct site_doubt doubt;

        if (!point->doubt)
            continue;
        doubt = *point->doubt;
        if (doubt.after_ms == AFTER_BY_POLLS)
            doubt.after_ms = after_ms > AFTER_LEAST_MS ? after_ms : AFTER_LEAST_MS;
        point->doubt = keep_doubt(b, &doubt, last, &next);
    }
}

void build_doubts_end(struct build *b)
{
    find_twins(b);
    keep_doubts(b);
}
