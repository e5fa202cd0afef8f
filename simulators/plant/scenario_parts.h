/* Between the files that read a scenario. Each reads one part; false: reported, and the scenario is not to be used. */
#ifndef RG_PLANT_SCENARIO_PARTS_H
#define RG_PLANT_SCENARIO_PARTS_H

#include "plant/reader.h"
#include "plant/scenario.h"

/* What the file says once for all. */
struct scenario_defaults {
    int64_t loop_us;
    uint32_t history;
    uint64_t seed;
};

#define SCENARIO_SIGNAL_KEYS "value", "raw", "timeline", "sine", "walk", "counter", "noise", "stuck", "loop"

/* The signal of a register's mapping. NULL: reported. */
const struct wave *scenario_read_wave(struct reader *reader, struct fy_node *map,
                                      const struct scenario_defaults *defaults);
bool scenario_read_faults(struct reader *reader, struct fy_node *list,
                          const struct scenario_defaults *defaults, enum listener_kind kind, bool of_listener,
                          struct fault_set *set);
bool scenario_read_units(struct reader *reader, struct fy_node *list,
                         const struct scenario_defaults *defaults, struct listener_config *listener);
/* NULL, or why a fault of that kind can't happen there. */
const char *scenario_fault_refused(enum fault_kind kind, enum listener_kind where, bool of_listener);

#endif
