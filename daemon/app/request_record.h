/* The records of platforms' commands, and their lines in the log. */
#ifndef RG_APP_REQUEST_RECORD_H
#define RG_APP_REQUEST_RECORD_H

#include "app/request_gate.h"

struct pipeline;

/* error: NULL when it was carried out. refused: it was not even tried. */
void request_record(struct pipeline *p, const char *uplink, const struct request *request, const char *by,
                    const char *error, bool refused);
/* Those that had no record of their own. */
void request_record_count(struct pipeline *p, const char *uplink, const struct gate_count *count);

#endif
