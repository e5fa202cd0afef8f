/* Permits to work between two runs, or before the first: what the last recorded command about each of them said, as the daemon finds it at
 * its start. Private to this folder. */
#ifndef RG_REPLAY_ALLOWED_H
#define RG_REPLAY_ALLOWED_H

#include "base/json_read.h"
#include "model/moment.h"
#include "rules/rules.h"

struct allowed_permit {
    char name[TEXT_ID_MAX + 1];
    int64_t until_ms; /* wall; 0: closed */
};

struct allowed {
    struct allowed_permit *permits;
    size_t count;
};

void allowed_free(struct allowed *a); /* takes a zeroed one */
/* A recorded command, of whatever kind. False: out of memory. r: the engine that it is given to, too, or NULL; at: its instant. */
RG_NODISCARD bool allowed_note(struct allowed *a, const struct json *note, struct moment at,
                               const struct site *site, struct rules *r);
/* Before rules_start at `now`: those that are still open. */
void allowed_restore(const struct allowed *a, const struct site *site, struct rules *r, struct moment now);

#endif
