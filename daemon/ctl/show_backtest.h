/* A back-test's summary for people: tables of what report.h wrote. */
#ifndef RG_CTL_SHOW_BACKTEST_H
#define RG_CTL_SHOW_BACKTEST_H

#include <stdint.h>
#include <stdio.h>

struct json;

void show_backtest(const struct json *summary, FILE *to);
void show_comparison(const struct json *comparison, FILE *to);
/* "2025-11-22 05:46:09.123" in local time; out needs 32 bytes. Returns out. */
const char *show_instant(int64_t wall_ms, char *out);

#endif
