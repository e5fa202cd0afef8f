/* A site as a flat list of keys and texts. Two such lists, sorted, are compared by merging; see diff.h. Internal to
 * config/. */
#ifndef RG_CONFIG_FLAT_H
#define RG_CONFIG_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/site.h"

struct flat_entry {
    const char *what; /* "rule.lel-high.above.red" */
    const char *text;
};

/* Takes an entry in place of the list; false: no more are wanted. */
typedef bool (*flat_cb)(void *arg, const char *what, const char *text);

struct flat {
    flat_cb
        take; /* NULL: they are listed. A list is 100 bytes an entry, and a large site has hundreds of thousands */
    void *arg;
    bool enough;                /* take wanted no more */
    struct arena *arena;        /* holds the keys and texts */
    struct flat_entry *entries; /* grown by doubling, on the heap: freed by the owner */
    size_t count, capacity;
    enum rg_err error; /* the first; nothing is added after it */
};

/* A whole site: sorted, or handed over in the order of its parts. NULL: nothing. */
void flat_site(struct flat *f, const struct site *site);
void flat_sort(struct flat *f);

/* One entry; both texts are copied. text NULL: none, for what is not given. The others: kind.name.key = text. */
void flat_add(struct flat *f, const char *what, const char *text);
void flat_text(struct flat *f, const char *kind, const char *name, const char *key, const char *text);
void flat_format(struct flat *f, const char *kind, const char *name, const char *key, const char *format, ...)
    RG_PRINTF(5, 6);
void flat_duration(struct flat *f, const char *kind, const char *name, const char *key, int64_t ms);

/* The parts of a site that have files of their own. What is at its default and was not there in every version is left
 * out: a new version of the program is no change of the configuration. */
void flat_bus(struct flat *f, const struct site_bus *bus);
void flat_device(struct flat *f, const struct site *site, const struct site_device *device);
void flat_rule(struct flat *f, const struct site *site, const struct site_rule *rule);
void flat_permit(struct flat *f, const struct site_permit *permit);
void flat_doubt(struct flat *f, const struct site *site, const struct site_point *point);
void flat_convert(struct flat *f, const struct site *site, const struct site_point *point);

#endif
