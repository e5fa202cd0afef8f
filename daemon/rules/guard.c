#include "rules/guard.h"

#include "rules/decimal.h"

bool guard_holds(const struct site_guard *guard, double value, bool single)
{
    double v = decimal_precise(value, single);
    bool is = guard->is_count == 0;

    for (size_t i = 0; i < guard->is_count && !is; i++)
        is = v == decimal_precise(guard->is[i], single);
    return is && !(guard->has_above && v < decimal_precise(guard->above, single)) &&
           !(guard->has_below && v > decimal_precise(guard->below, single));
}
