#include "model/sample.h"

#include "base/error.h"

static const char *const names[QUALITY_COUNT] = {
    [QUALITY_GOOD] = "good",     [QUALITY_COMM] = "comm",           [QUALITY_DEVICE] = "device",
    [QUALITY_SENSOR] = "sensor", [QUALITY_INHIBITED] = "inhibited", [QUALITY_RANGE] = "range",
    [QUALITY_STALE] = "stale",
};

const char *quality_name(enum quality quality)
{
    return (size_t)quality < RG_COUNT(names) ? names[quality] : "?";
}
