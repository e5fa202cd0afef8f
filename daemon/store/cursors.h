/* The uplinks' cursors: what each has still to deliver. Pure, but for memory. */
#ifndef RG_STORE_CURSORS_H
#define RG_STORE_CURSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/stream.h"

#define CURSORS_UPLINKS 64 /* further ones are refused */
#define CURSOR_TEXT 4096   /* CURSOR_RANGES ranges of two numbers of 19 digits, and the brackets */

struct cursor_entry {
    char uplink[TEXT_ID_MAX + 1]; /* empty: a free place */
    bool gone;                    /* no longer configured: to be removed from the store */
    bool dirty[STREAM_COUNT];
    struct cursor cursor[STREAM_COUNT];
};

struct cursor_set {
    size_t used; /* places in use or free again */
    struct cursor_entry entries[CURSORS_UPLINKS];
};

/* NULL when it is not there or is gone. */
struct cursor_entry *cursors_find(struct cursor_set *set, const char *uplink);
/* Finds it or makes it; NULL: no place left, or no identifier. */
struct cursor_entry *cursors_enter(struct cursor_set *set, const char *uplink);
bool cursors_dirty(const struct cursor_set *set);
/* Copies what is to be written into out, and counts it as written here; what is gone leaves its place. */
void cursors_hand_over(struct cursor_set *set, struct cursor_set *out);
/* It was not written after all: dirty again, but for what has come anew meanwhile. */
void cursors_take_back(struct cursor_set *set, const struct cursor_set *out);

/* Ranges ascending, disjoint, not empty, up to acked; acked not negative. */
bool cursor_valid(const struct cursor *c);
/* A new uplink: telemetry from now on, with what is there as back-fill; the other streams in order from the oldest
 * record on. gone: everything up to there is no longer in the store. */
void cursor_default(enum stream stream, int64_t head, int64_t gone, struct cursor *out);
/* [[1,100],[200,300]] */
void cursor_format(const struct cursor *c, char out[CURSOR_TEXT]);
RG_NODISCARD enum rg_err cursor_parse(const char *text, size_t length,
                                      struct cursor *c); /* fills the ranges only */

/* Of the records first..last, those that at least one uplink has still to deliver: their number, and the first and
 * last of them. */
uint64_t cursors_owed(const struct cursor_set *set, enum stream stream, struct seq_range gone,
                      struct seq_range *owed);

#endif
