/* The joints of pipeline.c, for assemble.c, which gives them to the parts. Private to app/. arg is the pipeline. */
#ifndef RG_APP_FLOW_H
#define RG_APP_FLOW_H

#include "app/pipeline.h"

#define FLOW_SECOND_MS 1000

extern const struct poll_cbs flow_poll_cbs;
extern const struct store_cbs flow_store_cbs;
struct uplink_port flow_uplink_port(struct pipeline *p);
void flow_change_cb(void *arg, const struct alarm_change *change);
void flow_level_cb(void *arg, uint32_t area, enum level level, enum level was, struct moment at);
void flow_deadline_cb(void *arg);
void flow_second_cb(void *arg);
/* Publishes the risk document, if one is owed. */
void flow_risk_cb(void *arg);
/* Arms the deadline timer for the rules' next one. */
void flow_schedule_deadline(struct pipeline *p);

#endif
