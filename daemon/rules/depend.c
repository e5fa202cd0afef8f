#include "rules/depend.h"

#include <stdlib.h>

static bool is_same(const struct depend_pair *a, const struct depend_pair *b)
{
    return a->key == b->key && a->who == b->who;
}

enum rg_err depend_create(struct depend *d, uint32_t keys, const struct depend_pair *pairs, size_t count)
{
    *d = (struct depend){.first = calloc((size_t)keys + 2, sizeof *d->first),
                         .who = calloc(count ? count : 1, sizeof *d->who)};
    if (!d->first || !d->who) {
        depend_destroy(d);
        return RG_ENOMEM;
    }
    if (count == 0)
        return RG_OK; /* what nobody depends on stays untouched */
    /* One place further on, so that filling moves each beginning to where it belongs. */
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !is_same(&pairs[i], &pairs[i - 1]))
            d->first[pairs[i].key + 2]++;
    }
    for (size_t i = 2; i < (size_t)keys + 2; i++)
        d->first[i] += d->first[i - 1];
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !is_same(&pairs[i], &pairs[i - 1]))
            d->who[d->first[pairs[i].key + 1]++] = pairs[i].who;
    }
    d->count = d->first[keys];
    return RG_OK;
}

void depend_destroy(struct depend *d)
{
    free(d->first);
    free(d->who);
    *d = (struct depend){0};
}
