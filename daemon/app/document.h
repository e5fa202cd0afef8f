/* The retained documents `state` and `risk` (contract §3), and the answers to riskgatectl's reading commands. They read, and change
 * nothing. */
#ifndef RG_APP_DOCUMENT_H
#define RG_APP_DOCUMENT_H

#include "base/json_write.h"
#include "model/site.h"
#include "rules/rules.h"

struct document_state {
    bool online;
    int64_t ts; /* wall ms */
    int64_t boot;
    const char *version, *config; /* config: SHA-256 of the configuration in force */
    bool unsynced;
};
/* Each writes one whole JSON object into an emptied w; look at jsonw_error(w). */
void document_state(struct jsonw *w, const struct site *site, const struct document_state *state);
void document_risk(struct jsonw *w, const struct site *site, const struct rules *rules, int64_t ts,
                   bool unsynced);

#endif
