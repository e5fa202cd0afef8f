/* Memory that is given back all at once: for the immutable site, whose parts live and die together. */
#ifndef RG_BASE_ARENA_H
#define RG_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used;  /* bytes handed out, all blocks */
    size_t limit; /* bytes it will hand out at most; 0: no limit */
};

void arena_init(struct arena *a, size_t limit);
void arena_destroy(struct arena *a); /* takes a zeroed arena */
/* Zeroed, aligned for any type; NULL when out of memory or over the limit (count * size is checked for overflow). */
void *arena_alloc(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *text); /* NULL text gives NULL */
char *arena_strndup(struct arena *a, const char *text, size_t length);

#endif
