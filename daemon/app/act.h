/* What a person does to an alarm: over the control socket, or from a platform. */
#ifndef RG_APP_ACT_H
#define RG_APP_ACT_H

#include "app/pipeline.h"

enum act_kind { ACT_ACK, ACT_SHELVE, ACT_UNSHELVE };
const char *act_kind_name(enum act_kind kind); /* "ack" "shelve" "unshelve" */

/* All is borrowed. */
struct act {
    enum act_kind kind;
    const char *alarm;
    int64_t for_ms; /* ACT_SHELVE */
    const char *by;
    const char *comment;     /* or NULL */
    const char *uplink, *id; /* of the platform's command; or NULL */
};

/* As rules_ack, rules_shelve and rules_unshelve, and with their errors; carried out it is recorded as an event, and the outputs follow. What
 * is to be said of an error is in error (may be NULL; its size then 0), for people. */
RG_NODISCARD enum rg_err act_run(struct pipeline *p, const struct act *act, char *error, size_t error_size);
/* When shelving of an active alarm ends, wall ms; 0: it is not shelved. */
int64_t act_shelved_until(const struct pipeline *p, const char *alarm);

#endif
