/* Texts of the site, each kept once however often it is written: units, labels and names repeat from device to device. Internal to
 * config/. */
#ifndef RG_CONFIG_INTERN_H
#define RG_CONFIG_INTERN_H

#include <stddef.h>

#include "base/arena.h"

/* Zeroed: empty. Nothing of it outlives the load but the texts, which are the arena's. */
struct intern {
    const char **places; /* [size], a power of two; NULL: free */
    size_t size, count;
};

/* The text as it is kept in the arena; NULL: out of memory, or no text was given. */
const char *intern_text(struct intern *texts, struct arena *arena, const char *text);
void intern_end(struct intern *texts);

#endif
