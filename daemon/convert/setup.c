/* Building the stage, and what goes on in a new one after a reload. */
#include "convert/stage.h"

#include <stdlib.h>

#include "model/site_same.h"

static void *zeroed(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

static bool is_idle(const struct site *site)
{
    for (size_t i = 0; i < site->point_count; i++) {
        if (site->points[i].derived || site->points[i].convert)
            return false;
    }
    return true;
}

static bool fits(const struct site_derived *d)
{
    switch (d->kind) {
    case DERIVE_BEACH:
        return d->operand_count == 3 || d->operand_count == 8;
    case DERIVE_BEACH_SLOPE:
        return d->operand_count == 6;
    case DERIVE_FREEBOARD:
        return d->operand_count == 2;
    case DERIVE_INCREASE:
        return d->operand_count == 1;
    case DERIVE_DIFFERENCE:
    case DERIVE_SUM:
    case DERIVE_MEAN:
    case DERIVE_MIN:
    case DERIVE_MAX:
        break;
    }
    return d->operand_count >= 1 && d->operand_count <= DERIVED_OPERANDS_MAX;
}

static enum rg_err check_points(const struct site *site)
{
    for (size_t i = 0; i < site->point_count; i++) {
        const struct site_point *p = &site->points[i];
        size_t count = site_operand_count(p);

        if (p->derived && (!fits(p->derived) || !site->devices[p->device].derived))
            return RG_EINVAL;
        if (p->convert && p->convert->kind == CONVERT_TWO_POINT && p->convert->entry_count != 2)
            return RG_EINVAL;
        for (size_t k = 0; k < count; k++) {
            uint32_t point = site_operand(p, k)->point;

            if (point != SITE_NONE && point >= site->point_count)
                return RG_EINVAL;
        }
    }
    return RG_OK;
}

/* One derived point stands once among the users of a point, however often it names it. */
static bool named_before(const struct site_derived *d, size_t operand)
{
    for (size_t i = 0; i < operand; i++) {
        if (d->operands[i].point == d->operands[operand].point)
            return true;
    }
    return false;
}

/* Counts first, then places: users_begin[p + 1] is where the next one of p goes until all are there. */
static enum rg_err index_users(struct convert *c)
{
    const struct site *site = c->site;
    size_t total = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < site->point_count; i++) {
            const struct site_derived *d = site->points[i].derived;

            for (size_t k = 0; d && k < d->operand_count; k++) {
                uint32_t point = d->operands[k].point;

                if (point == SITE_NONE || named_before(d, k))
                    continue;
                if (pass == 0) {
                    c->users_begin[point + 2]++;
                    total++;
                } else {
                    c->users[c->users_begin[point + 1]++] = i;
                }
            }
        }
        if (pass == 1)
            break;
        c->users = zeroed(total, sizeof *c->users);
        if (!c->users)
            return RG_ENOMEM;
        for (size_t i = 2; i < site->point_count + 2; i++)
            c->users_begin[i] += c->users_begin[i - 1];
    }
    return RG_OK;
}

static void mark_what_matters(struct convert *c)
{
    for (size_t i = 0; i < c->site->point_count; i++) {
        const struct site_point *p = &c->site->points[i];
        size_t count = site_operand_count(p);

        if (p->derived || p->convert)
            c->matters[i] = true;
        for (size_t k = 0; k < count; k++) {
            if (site_operand(p, k)->point != SITE_NONE)
                c->matters[site_operand(p, k)->point] = true;
        }
    }
}

static enum rg_err take_memory(struct convert *c)
{
    const struct site *site = c->site;
    size_t most = 0;

    for (size_t i = 0; i < site->device_count; i++)
        most = site->devices[i].point_count > most ? site->devices[i].point_count : most;
    c->states = zeroed(site->point_count, sizeof *c->states);
    c->links = zeroed(site->point_count, sizeof *c->links);
    c->matters = zeroed(site->point_count, sizeof *c->matters);
    c->levels = zeroed(site->point_count, sizeof *c->levels);
    c->users_begin = zeroed(site->point_count + 2, sizeof *c->users_begin);
    c->derived = zeroed(site->device_count, sizeof *c->derived);
    c->touched = zeroed(site->device_count, sizeof *c->touched);
    c->own = zeroed(most, sizeof *c->own);
    c->out = zeroed(most, sizeof *c->out);
    if (!c->states || !c->links || !c->matters || !c->levels || !c->users_begin || !c->derived ||
        !c->touched || !c->own || !c->out)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->point_count; i++)
        c->states[i].quality = QUALITY_STALE;
    for (size_t i = 0; i < site->device_count; i++)
        c->derived[i].first = SITE_NONE;
    for (size_t i = 0; i < RG_COUNT(c->waiting); i++)
        c->waiting[i].first = SITE_NONE;
    return RG_OK;
}

enum rg_err convert_create(const struct site *site, struct convert **out)
{
    struct convert *c = calloc(1, sizeof *c);
    enum rg_err err = RG_OK;

    *out = NULL;
    if (!c)
        return RG_ENOMEM;
    c->site = site;
    c->idle = is_idle(site);
    if (!c->idle) {
        err = check_points(site);
        if (err == RG_OK)
            err = take_memory(c);
        if (err == RG_OK)
            err = site_order(site, c->levels);
        if (err == RG_OK)
            err = index_users(c);
        if (err == RG_OK)
            mark_what_matters(c);
    }
    if (err != RG_OK) {
        convert_destroy(c);
        return err;
    }
    *out = c;
    return RG_OK;
}

void convert_destroy(struct convert *c)
{
    if (!c)
        return;
    free(c->out);
    free(c->own);
    free(c->touched);
    free(c->derived);
    free(c->users);
    free(c->users_begin);
    free(c->levels);
    free(c->matters);
    free(c->links);
    free(c->states);
    free(c);
}

enum rg_err convert_inherit(struct convert *c, const struct convert *from)
{
    uint32_t *before;
    enum rg_err err;

    if (c->idle || from->idle)
        return RG_OK;
    before = zeroed(c->site->point_count, sizeof *before);
    if (!before)
        return RG_ENOMEM;
    err = site_same_points(c->site, from->site, before);
    for (size_t i = 0; err == RG_OK && i < c->site->point_count; i++) {
        if (before[i] != SITE_NONE)
            c->states[i] = from->states[before[i]];
    }
    free(before);
    return err;
}
