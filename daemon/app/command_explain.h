/* Why an alarm stands, why there is none: the daemon's half of `riskgatectl explain`. */
#ifndef RG_APP_COMMAND_EXPLAIN_H
#define RG_APP_COMMAND_EXPLAIN_H

#include "app/pipeline.h"
#include "base/json_read.h"

/* request: `name` is an active alarm's id, a point, a device or an output. Writes
 * {"name", "now_ts", "watches": [...], "points": [...]}: all that watches what it names, as rules_explain tells it, each with
 * the last change of its alarm and the readings that led to it; and the points it is about with their last readings.
 * RG_ENOTFOUND and the error said when it names nothing. */
RG_NODISCARD enum rg_err command_explain(struct pipeline *p, const struct json *request, struct jsonw *w,
                                         char *error, size_t error_size);

#endif
