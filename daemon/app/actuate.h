/* Joins the outputs: rules -> output -> poll (as errands), and back: what came of it -> output -> rules (their faults are
 * alarms). No uplink and no store has a part in it. */
#ifndef RG_APP_ACTUATE_H
#define RG_APP_ACTUATE_H

#include "app/pipeline.h"

struct output_port actuate_port(struct pipeline *p);
/* Lets the outputs follow what changed, hands over what is due, and arms their timer. To be called after everything that
 * may have changed an alarm; not from inside a rules callback. */
void actuate_run(struct pipeline *p);
/* The same, but only if an alarm did change: for what comes often. What is due without that, the timer does. */
void actuate_follow(struct pipeline *p);
void actuate_timer_cb(void *arg); /* the pipeline */
/* After a reload: faults that are known already are alarms of the new rules too. */
void actuate_carry_faults(struct pipeline *p);

/* Brings outputs to their on_stop states: all, or those that next has none in the place of. done is called on the loop, never
 * from inside, once that is so, however it went, or after limit_ms. */
void actuate_release(struct pipeline *p, const struct site *next, int64_t limit_ms, void (*done)(void *arg),
                     void *arg);
/* They stay in use. */
void actuate_resume(struct pipeline *p);

/* Each is recorded as an event. output: index into site.outputs. As outputs_silence and outputs_test. */
RG_NODISCARD enum rg_err actuate_silence(struct pipeline *p, uint32_t output, const char *by);
RG_NODISCARD enum rg_err actuate_test(struct pipeline *p, uint32_t output, int64_t for_ms, const char *by);

#endif
