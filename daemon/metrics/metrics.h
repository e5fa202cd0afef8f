/* The figures of `status` as monitoring systems read them. Pure: one status in, one text out.
 *
 * Two forms of the same: OpenMetrics 1.0 (what `riskgatectl metrics` prints), and the text format 0.0.4 of Prometheus, which is what
 * node_exporter's textfile collector reads: there a counter's family has the name of its samples, and there is no `# EOF`.
 * Neither carries time stamps of its own (the collector refuses a file that does). Names and labels are part of the contract:
 * `riskgate_<of what>_<figure>[_<unit>][_total]`, units are seconds, bytes and ratio. What is null in the status has no sample. */
#ifndef RG_METRICS_METRICS_H
#define RG_METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json_read.h"

enum metrics_form { METRICS_OPENMETRICS, METRICS_PROMETHEUS };

struct metrics_text {
    char *text; /* ends in a NUL, which length does not count */
    size_t length, capacity;
};

/* status: the result of the command `status` (app/command.h). Written from the beginning of out, whose memory is used again; begin
 * with a zeroed one. RG_ENOMEM: out holds no whole text. */
RG_NODISCARD enum rg_err metrics_write(enum metrics_form form, const struct json *status,
                                       struct metrics_text *out);
void metrics_text_free(struct metrics_text *t);

#endif
