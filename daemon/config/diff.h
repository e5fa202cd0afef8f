/* What differs between two sites, key by key: for the `config` event, so that every changed limit is told with its old and new value. */
#ifndef RG_CONFIG_DIFF_H
#define RG_CONFIG_DIFF_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json_write.h"
#include "model/site.h"

struct config_change {
    const char *what;   /* "rule.lel-high.above.red" */
    const char *before; /* its text; NULL: it was not there */
    const char *after;  /* NULL: it is not there any more */
};

struct config_diff {
    struct arena arena;            /* holds everything below */
    struct config_change *changes; /* ordered by what */
    size_t count;
};

/* before may be NULL: then everything is new. Pure. Free with config_diff_free, after an error too. RG_ENOMEM. */
RG_NODISCARD enum rg_err config_diff(const struct site *before, const struct site *after,
                                     struct config_diff *out);
/* The whole of a site as one JSON array of keys and texts in turn, in the order of its parts, for config_diff_text of a later run.
 * RG_ENOMEM, RG_EFULL. */
RG_NODISCARD enum rg_err config_describe(const struct site *site, struct jsonw *out);
/* As config_diff, against what config_describe once wrote. RG_EINVAL: before is no such text. */
RG_NODISCARD enum rg_err config_diff_text(const char *before, size_t length, const struct site *after,
                                          struct config_diff *out);
/* The change of a key, or NULL. */
const struct config_change *config_diff_find(const struct config_diff *diff, const char *what);
void config_diff_free(struct config_diff *diff); /* takes a zeroed one */

#endif
