/* The daemon's answers, for people. Each takes the "result" of the command of its name. */
#ifndef RG_CTL_SHOW_H
#define RG_CTL_SHOW_H

#include <stdio.h>

#include "base/json_read.h"

/* All devices and problems, however many. */
void show_status_all(const struct json *result, FILE *to);
void show_status(const struct json *result, FILE *to);
void show_alarms(const struct json *result, FILE *to);
void show_shelved(const struct json *result, FILE *to);
/* The figures of `alarms` of the status. */
void show_figures(const struct json *alarms, FILE *to);
void show_points(const struct json *result, FILE *to);
void show_outputs(const struct json *result, FILE *to);
/* What was done to one permit; all of them. */
void show_permit(const struct json *result, FILE *to);
void show_permits(const struct json *result, FILE *to);
/* A report, as its record has it; what came of self tests. */
void show_report(const struct json *result, FILE *to);
void show_self_test(const struct json *result, FILE *to);
/* `self_test` of the status: the last one of each uplink. */
void show_last_tests(const struct json *tests, FILE *to);
void show_risk(const struct json *result, FILE *to);

#endif
