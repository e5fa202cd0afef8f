#include "model/stream.h"

static const char *const names[STREAM_COUNT] = {
    [STREAM_ALARM] = "alarm",
    [STREAM_TELEMETRY] = "telemetry",
    [STREAM_EVENT] = "event",
    [STREAM_REPORT] = "report",
};

const char *stream_name(enum stream stream)
{
    return (size_t)stream < RG_COUNT(names) ? names[stream] : "?";
}
