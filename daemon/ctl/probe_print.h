/* What was read, for people and for tools. */
#ifndef RG_CTL_PROBE_PRINT_H
#define RG_CTL_PROBE_PRINT_H

#include <stdio.h>

#include "base/json_write.h"
#include "ctl/probe_read.h"

/* An aligned table: a register a row, or eight bits; a stretch that was refused or not read is one row. */
void probe_print(const struct probe_reading *r, FILE *to);
/* One object: {space, first, count, requests, error, registers: [...] or bits: [...], refused: [...], unread: [...]}. */
void probe_write_json(const struct probe_reading *r, struct jsonw *w);

#endif
