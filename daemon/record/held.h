/* Frames that are held back: copies, one behind the other, in a ring of memory that is taken once. Pure. Private to this folder. */
#ifndef RG_RECORD_HELD_H
#define RG_RECORD_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/sample.h"

struct held {
    char *memory; /* NULL: nothing is ever held */
    size_t capacity;
    size_t first; /* offset of the oldest, when there is one */
    size_t next;  /* offset behind the newest */
    size_t wrap;  /* where the stretch before the beginning of memory ends, while next lies before first */
    size_t count;
    size_t due; /* of the oldest ones: they are to be given out, however old they become */
};

/* bytes: 0: nothing is ever held. points: the most samples of one frame. RG_ENOMEM. */
RG_NODISCARD enum rg_err held_create(struct held *h, uint64_t bytes, size_t points);
void held_destroy(struct held *h); /* takes a zeroed one */
/* Copies the frame behind the others. Where there is no room the oldest go, due or not: how many; the frame itself when it could never fit. */
uint64_t held_put(struct held *h, const struct frame *frame, int64_t turn);
/* The oldest; its samples stay until the next change of h. False: there is none. */
bool held_first(const struct held *h, struct frame *frame, int64_t *turn);
void held_drop(struct held *h); /* the oldest goes */
/* Those older than this monotonic instant go, unless they are due: how many. */
uint64_t held_expire(struct held *h, int64_t before_ms);
void held_all_due(struct held *h);
/* Their points and device have other numbers now. */
void held_renumber(struct held *h, uint32_t first_point, uint32_t now_first, uint32_t device);

#endif
