/* Names: unique over all files, found again by others, with the nearest one offered when they are not. */
#include "config/build.h"
#include "config/issue.h"

/* Stands for an entry without a usable name: far from every name, so never offered, and no name itself. */
static const char nameless[] = "****************************************************************";

bool names_begin(struct load *ld, struct names *names, const char *kind, uint32_t count)
{
    names->kind = kind;
    names->count = count;
    names->list = load_scratch(ld, (size_t)count + 1, sizeof *names->list);
    names->places = load_scratch(ld, (size_t)count + 1, sizeof *names->places);
    if (!names->list || !names->places || hash_index_create(count, &names->index)) {
        ld->oom = true;
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        names->list[i] = nameless;
    return true;
}

void names_add(struct load *ld, struct names *names, uint32_t index, const char *name, struct place at)
{
    uint32_t first;
    enum rg_err err;

    if (!name)
        return; /* missing or misspelt, reported already */
    err = hash_index_add(names->index, name, index, &first);
    if (err == RG_EEXIST) {
        issue_error(ld, at, "the %s `%s` is defined already, first at %s:%u", names->kind, shown(name).text,
                    ld->sources[names->places[first].file].name, names->places[first].line);
    } else if (err) {
        ld->oom = true;
    } else {
        names->list[index] = name;
        names->places[index] = at;
    }
}

uint32_t names_find(struct load *ld, const struct names *names, const char *text, struct place at)
{
    uint32_t index = SITE_NONE;

    if (hash_index_find(names->index, text, &index) == RG_OK)
        return index;
    /* It may stand in a file that could not be read: then its absence is no news. */
    if (!ld->incomplete)
        issue_error(ld, at, "there is no %s `%s`%s", names->kind, shown(text).text,
                    issue_nearest(ld, text, names->list, names->count).text);
    return SITE_NONE;
}

void names_end(struct names *names)
{
    hash_index_destroy(names->index);
    names->index = NULL;
}
