/* What riskgatectl may ask of the alarms. */
#ifndef RG_APP_COMMAND_ALARM_H
#define RG_APP_COMMAND_ALARM_H

#include "app/pipeline.h"
#include "base/json_read.h"

#define COMMAND_ALARM_LIST                                                                                   \
    20 /* alarms named in a list of the figures; how many there are is said beside it */

/* `alarms` of `status`: how many are active by level, unacked, shelved, suppressed, and the figures of ISA-18.2. */
void command_alarm_figures(const struct pipeline *p, struct jsonw *w);
/* `alarms`: [{alarm, level, rule, point, ...}], highest level first. */
void command_alarm_list(const struct pipeline *p, struct jsonw *w);
/* `ack` ({alarm, by, comment?}): its id. */
RG_NODISCARD enum rg_err command_ack(struct pipeline *p, const struct json *request, struct jsonw *w,
                                     char *error, size_t error_size);
/* `shelve` ({alarm, for_ms, by, comment?}): {alarm, shelved_until_ts}. */
RG_NODISCARD enum rg_err command_shelve(struct pipeline *p, const struct json *request, struct jsonw *w,
                                        char *error, size_t error_size);
/* `unshelve` ({alarm, by, comment?}): its id. */
RG_NODISCARD enum rg_err command_unshelve(struct pipeline *p, const struct json *request, struct jsonw *w,
                                          char *error, size_t error_size);

#endif
