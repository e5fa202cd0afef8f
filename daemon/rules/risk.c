#include "rules/risk.h"

#include <stdlib.h>

enum rg_err risk_create(struct risk *risk, const struct site *site)
{
    *risk = (struct risk){.count = site->area_count, .total = {.parent = SITE_NONE}};
    risk->nodes = calloc(site->area_count ? site->area_count : 1, sizeof *risk->nodes);
    if (!risk->nodes)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->area_count; i++)
        risk->nodes[i].parent = site->areas[i].parent;
    return RG_OK;
}

void risk_destroy(struct risk *risk)
{
    free(risk->nodes);
    *risk = (struct risk){0};
}

static void node_move(struct risk_node *node, enum level was, enum level now)
{
    if (was != LEVEL_NONE)
        node->active[was]--;
    if (now != LEVEL_NONE)
        node->active[now]++;
}

void risk_move(struct risk *risk, uint32_t area, enum level was, enum level now)
{
    node_move(&risk->total, was, now);
    for (; area < risk->count; area = risk->nodes[area].parent)
        node_move(&risk->nodes[area], was, now);
}

enum level risk_level(const struct risk *risk, uint32_t area, size_t *alarms)
{
    const struct risk_node *node = NULL;
    enum level level = LEVEL_NONE;
    size_t count = 0;

    if (area == SITE_NONE)
        node = &risk->total;
    else if (area < risk->count)
        node = &risk->nodes[area];
    for (int i = LEVEL_BLUE; node && i < LEVEL_COUNT; i++) {
        count += node->active[i];
        if (node->active[i] > 0)
            level = (enum level)i;
    }
    if (alarms)
        *alarms = count;
    return level;
}
