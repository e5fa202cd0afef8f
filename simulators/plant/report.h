/* What the plant has seen, as JSON on one line. */
#ifndef RG_PLANT_REPORT_H
#define RG_PLANT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct plant;
struct listener;
struct unit;

void report_stats(const struct plant *plant, FILE *out);
void report_history(const struct listener *listener, const struct unit *unit, FILE *out);
/* Counters, histories and silences begin anew. */
void report_reset(struct plant *plant);
/* {"name": port or "path", ...}, in one step: whoever sees the file sees all of it. False: reported on standard error. */
bool report_ports(const struct plant *plant, const char *file);

#endif
