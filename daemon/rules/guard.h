/* Whether a rule is armed by the point that guards it. Pure. */
#ifndef RG_RULES_GUARD_H
#define RG_RULES_GUARD_H

#include <stdbool.h>

#include "model/site.h"

/* single: the guard's point is an unscaled f32. Every test that the guard has must hold: one of `is`, value >= above,
 * value <= below. */
bool guard_holds(const struct site_guard *guard, double value, bool single);

#endif
