#include "model/site_rule.h"

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
