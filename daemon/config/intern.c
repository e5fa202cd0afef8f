#include "config/intern.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 256

/* FNV-1a, 32 bits (draft-eastlake-fnv). Who chooses texts that collide slows down the reading of his own file: the places of one
 * text are looked at up to PLACES_MOST, beyond which it is kept once more. */
#define PLACES_MOST 32u

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

/* Where a text is or may go; NULL: neither within reach. */
static const char **place(const struct intern *texts, const char *text)
{
    uint32_t h = hash(text);

    for (uint32_t i = 0; i < PLACES_MOST; i++) {
        const char **at = &texts->places[(h + i) & (texts->size - 1)];

        if (!*at || strcmp(*at, text) == 0)
            return at;
    }
    return NULL;
}

static bool grow(struct intern *texts)
{
    struct intern larger = {.size = texts->size ? texts->size * 2 : SIZE_FIRST};

    larger.places = calloc(larger.size, sizeof *larger.places);
    if (!larger.places)
        return false;
    for (size_t i = 0; i < texts->size; i++) {
        const char **at = texts->places[i] ? place(&larger, texts->places[i]) : NULL;

        if (at) {
            *at = texts->places[i];
            larger.count++;
        }
    }
    intern_end(texts);
    *texts = larger;
    return true;
}

const char *intern_text(struct intern *texts, struct arena *arena, const char *text)
{
    const char **at;
    const char *kept;

    if (!text || (texts->count >= texts->size / 2 && !grow(texts)))
        return NULL;
    at = place(texts, text);
    kept = at ? *at : NULL;
    if (kept)
        return kept;
    kept = arena_strdup(arena, text);
    if (at && kept) {
        *at = kept;
        texts->count++;
    }
    return kept;
}

void intern_end(struct intern *texts)
{
    free(texts->places);
    *texts = (struct intern){0};
}
