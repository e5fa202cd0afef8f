/* Why an alarm stands, or why there is none, in sentences: for the result of the daemon's `explain`. Pure but for the time
 * zone. */
#ifndef RG_CTL_SHOW_EXPLAIN_H
#define RG_CTL_SHOW_EXPLAIN_H

#include <stdio.h>

#include "base/json_read.h"

void show_explain(const struct json *result, FILE *to);

#endif
