#include "model/summary.h"

const char *report_kind_name(enum report_kind kind)
{
    return kind == REPORT_MONTHLY ? "monthly" : "daily";
}

const char *outage_kind_name(enum summary_outage_kind kind)
{
    static const char *const names[OUTAGE_KINDS] = {"gateway", "bus", "device", "uplink"};

    return names[kind];
}
