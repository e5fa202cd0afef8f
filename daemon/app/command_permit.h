/* Permits to work: what riskgatectl may ask of them. */
#ifndef RG_APP_COMMAND_PERMIT_H
#define RG_APP_COMMAND_PERMIT_H

#include "app/pipeline.h"
#include "base/json_read.h"

/* [{permit, label, open, until_ts, by, opened_ts, max_ms, rules}]; also `permits` of the status. */
void command_permit_list(const struct pipeline *p, struct jsonw *w);
/* `permit` ({action: "open", permit, for_ms, by}, {action: "close", permit, by}): the permit as in the list; or
 * ({action: "list"}): all. */
RG_NODISCARD enum rg_err command_permit(struct pipeline *p, const struct json *request, struct jsonw *w,
                                        char *error, size_t error_size);

#endif
