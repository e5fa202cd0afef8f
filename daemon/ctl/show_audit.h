/* What an audit found, for people: of the objects that `audit --json` prints. Pure but for the time zone. */
#ifndef RG_CTL_SHOW_AUDIT_H
#define RG_CTL_SHOW_AUDIT_H

#include <stdio.h>

#include "base/json_read.h"

void show_verify(const struct json *result, FILE *to);
void show_trace(const struct json *result, FILE *to);

#endif
