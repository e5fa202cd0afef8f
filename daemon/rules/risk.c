#include "rules/risk.h"

#include <stdlib.h>

/* How many of a level count as one of the next; GB 39496-2020 5.5.4. */
static const uint32_t carry[LEVEL_COUNT] = {[LEVEL_BLUE] = 4, [LEVEL_YELLOW] = 3, [LEVEL_ORANGE] = 2};

enum level risk_carry(const uint32_t active[LEVEL_COUNT])
{
    enum level highest = LEVEL_NONE;
    uint32_t carried = 0;

    for (enum level level = LEVEL_BLUE; level <= LEVEL_RED; level++) {
        uint32_t count = active[level] + carried;

        if (count > 0)
            highest = level;
        carried = carry[level] ? count / carry[level] : 0;
    }
    return highest;
}

static enum level highest_of(const uint32_t active[LEVEL_COUNT])
{
    enum level level = LEVEL_RED;

    while (level > LEVEL_NONE && active[level] == 0)
        level--;
    return level;
}

/* How many rules watch something in each area that aggregates, and below it: once without kinds to fill, to know how much
 * room they take, then into it. Rules come in order, so that kinds are sorted. */
static void find_kinds(struct risk *risk, const struct site *site, uint32_t *seen, bool fill)
{
    for (uint32_t rule = 0; rule < site->rule_count; rule++) {
        const struct site_rule *conf = &site->rules[rule];

        for (size_t i = 0; i < conf->point_count; i++) {
            uint32_t area = site->devices[site->points[conf->points[i]].device].area;

            for (; area < risk->count; area = risk->nodes[area].parent) {
                struct risk_node *node = &risk->nodes[area];

                if (!node->aggregates || seen[area] == rule + 1)
                    continue;
                seen[area] = rule + 1;
                if (fill)
                    node->kinds[node->kind_count].rule = rule;
                node->kind_count++;
            }
        }
    }
}

static enum rg_err create_kinds(struct risk *risk, const struct site *site)
{
    uint32_t *seen = calloc(risk->count ? risk->count : 1, sizeof *seen);
    size_t total = 0, at = 0;

    if (!seen)
        return RG_ENOMEM;
    find_kinds(risk, site, seen, false);
    for (size_t i = 0; i < risk->count; i++)
        total += risk->nodes[i].kind_count;
    risk->kinds = calloc(total ? total : 1, sizeof *risk->kinds);
    if (!risk->kinds) {
        free(seen);
        return RG_ENOMEM;
    }
    for (size_t i = 0; i < risk->count; i++) {
        risk->nodes[i].kinds = risk->kinds + at;
        at += risk->nodes[i].kind_count;
        risk->nodes[i].kind_count = 0;
        seen[i] = 0;
    }
    find_kinds(risk, site, seen, true);
    free(seen);
    return RG_OK;
}

enum rg_err risk_create(struct risk *risk, const struct site *site)
{
    enum rg_err err;

    *risk = (struct risk){.count = site->area_count, .total = {.parent = SITE_NONE}};
    risk->nodes = calloc(site->area_count ? site->area_count : 1, sizeof *risk->nodes);
    if (!risk->nodes)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->area_count; i++) {
        risk->nodes[i].parent = site->areas[i].parent;
        risk->nodes[i].aggregates = site->areas[i].aggregate == AGGREGATE_GB39496;
    }
    err = create_kinds(risk, site);
    if (err != RG_OK)
        risk_destroy(risk);
    return err;
}

void risk_destroy(struct risk *risk)
{
    free(risk->kinds);
    free(risk->nodes);
    *risk = (struct risk){0};
}

uint64_t risk_memory(const struct site *site)
{
    uint64_t bytes = site->area_count * (uint64_t)sizeof(struct risk_node);

    for (size_t i = 0; i < site->area_count; i++) {
        if (site->areas[i].aggregate == AGGREGATE_GB39496)
            bytes += site->rule_count * (uint64_t)sizeof(struct risk_kind);
    }
    return bytes;
}

static void move(uint32_t active[LEVEL_COUNT], enum level was, enum level now)
{
    if (was != LEVEL_NONE)
        active[was]--;
    if (now != LEVEL_NONE)
        active[now]++;
}

static struct risk_kind *find_kind(const struct risk_node *node, uint32_t rule)
{
    uint32_t low = 0, high = node->kind_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (node->kinds[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    return low < node->kind_count && node->kinds[low].rule == rule ? &node->kinds[low] : NULL;
}

static void move_kind(struct risk_node *node, uint32_t rule, enum level was, enum level now)
{
    struct risk_kind *kind = node->aggregates ? find_kind(node, rule) : NULL;
    enum level before;

    if (!kind)
        return;
    before = risk_carry(kind->active);
    move(kind->active, was, now);
    move(node->items, before, risk_carry(kind->active));
}

static enum level level_of(const struct risk_node *node)
{
    enum level level = highest_of(node->parts);
    enum level items = risk_carry(node->items);

    return items > level ? items : level;
}

void risk_move(struct risk *risk, uint32_t area, uint32_t rule, enum level was, enum level now)
{
    enum level part_was = was, part_now = now;

    for (; area < risk->count; area = risk->nodes[area].parent) {
        struct risk_node *node = &risk->nodes[area];

        move(node->active, was, now);
        move(node->parts, part_was, part_now);
        move_kind(node, rule, was, now);
        part_was = (enum level)node->level;
        part_now = level_of(node);
        node->level = (uint8_t)part_now;
    }
    move(risk->total.active, was, now);
    move(risk->total.parts, part_was, part_now);
    risk->total.level = (uint8_t)level_of(&risk->total);
}

static struct risk_node *find_node(struct risk *risk, uint32_t area)
{
    if (area == SITE_NONE)
        return &risk->total;
    return area < risk->count ? &risk->nodes[area] : NULL;
}

enum level risk_level(const struct risk *risk, uint32_t area, size_t *alarms)
{
    const struct risk_node *node = NULL;
    size_t count = 0;

    if (area == SITE_NONE)
        node = &risk->total;
    else if (area < risk->count)
        node = &risk->nodes[area];
    for (int i = LEVEL_BLUE; node && i < LEVEL_COUNT; i++)
        count += node->active[i];
    if (alarms)
        *alarms = count;
    return node ? (enum level)node->level : LEVEL_NONE;
}

static void tell(struct risk_node *node, uint32_t area, risk_tell_cb cb, void *arg)
{
    enum level was = (enum level)node->told;

    if (node->told == node->level)
        return;
    node->told = node->level;
    if (cb)
        cb(arg, area, (enum level)node->level, was);
}

void risk_tell(struct risk *risk, uint32_t area, risk_tell_cb cb, void *arg)
{
    for (; area < risk->count; area = risk->nodes[area].parent)
        tell(&risk->nodes[area], area, cb, arg);
    tell(&risk->total, SITE_NONE, cb, arg);
}

void risk_tell_all(struct risk *risk, risk_tell_cb cb, void *arg)
{
    for (uint32_t i = 0; i < risk->count; i++)
        tell(&risk->nodes[i], i, cb, arg);
    tell(&risk->total, SITE_NONE, cb, arg);
}

void risk_told(struct risk *risk, uint32_t area, enum level level)
{
    struct risk_node *node = find_node(risk, area);

    if (node)
        node->told = (uint8_t)level;
}
