/* A rule in `about`: all that a platform needs to show what its alarms mean. Internal to uplink/. */
#ifndef RG_UPLINK_ABOUT_RULE_H
#define RG_UPLINK_ABOUT_RULE_H

#include "base/json_write.h"
#include "model/site.h"

/* One object:
 *   {name, message, points: [...], signal: {kind, window_ms, coverage, band, wrap}, above: {level: limit}, below, is, deadband,
 *    on_delay_ms, off_delay_ms, latch: level, vote: {need, bad}, when: {point, is, above, below}, permit, basis}
 * A limit is a number, or {of, times, plus}. `of` and `point` are one full name, or a list with one for each of `points`, in
 * their order. What does not apply is left out. */
void about_rule(const struct site *site, const struct site_rule *rule, struct jsonw *w);

#endif
