/* The windows of a site's rules: one signal for each rule on each point that looks back, taken once and for all. */
#ifndef RG_RULES_WINDOWS_H
#define RG_RULES_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/site.h"
#include "rules/signal.h"

struct windows {
    struct signal *signals;
    struct cell *cells; /* of all of them */
    size_t signal_count, cell_count;
    size_t signals_given, cells_given;
    int64_t *polls; /* by point; NULL: no rule looks back */
};

/* Bytes that windows_create takes for this site. */
uint64_t windows_memory(const struct site *site);
/* RG_ENOMEM. Memory is touched as samples fill it. */
RG_NODISCARD enum rg_err windows_create(struct windows *w, const struct site *site);
void windows_destroy(struct windows *w); /* takes a zeroed one */
/* The signal of a rule on one of its points, to be asked for once; NULL: the rule looks at the point's value. site must
 * outlive it. */
struct signal *windows_give(struct windows *w, const struct site *site, uint32_t rule, uint32_t point);
/* Raises ms[device_count] to how far the windows over points of each device, and the samples that hold when these begin,
 * reach back. */
void windows_history_ms(const struct site *site, int64_t *ms);
/* Forgets those that were shown samples of after `now`, which would stop their time. */
void windows_start(struct windows *w, int64_t now_ms);

#endif
