#include "model/site_rule.h"

#include "base/json_write.h"

const char *signal_name(enum signal_kind kind)
{
    switch (kind) {
    case SIGNAL_VALUE:
        return "value";
    case SIGNAL_RATE:
        return "rate";
    case SIGNAL_MEAN:
        return "mean";
    case SIGNAL_SUM:
        return "sum";
    case SIGNAL_MAX:
        return "max";
    case SIGNAL_MIN:
        return "min";
    case SIGNAL_DELTA:
        return "delta";
    case SIGNAL_TWA:
        return "twa";
    case SIGNAL_FLAT:
        return "flat";
    }
    return "value";
}

void site_guard_write(const struct site_guard *guard, struct jsonw *w)
{
    if (guard->is_count > 0) {
        jsonw_key(w, "is");
        jsonw_array_begin(w);
        for (size_t i = 0; i < guard->is_count; i++)
            jsonw_double(w, guard->is[i]);
        jsonw_array_end(w);
    }
    if (guard->has_above)
        jsonw_key_double(w, "above", guard->above);
    if (guard->has_below)
        jsonw_key_double(w, "below", guard->below);
}
