/* What `probe` was asked for, and its two ways: reading ranges of one unit, and looking for units. */
#ifndef RG_CTL_PROBE_H
#define RG_CTL_PROBE_H

#include "ctl/access.h"
#include "ctl/probe_read.h"

#define PROBE_RANGES 8

struct probe_wish {
    struct access_choice choice;
    bool scan;
    long unit; /* reading; -1: not given */
    struct probe_range ranges[PROBE_RANGES];
    size_t range_count;
    long max;                   /* registers of one request */
    long first_unit, last_unit; /* scan */
    enum point_space space;     /* scan: what is read of each */
    long address;
    int64_t gap_ms; /* scan: between two tries */
};

enum exit_status probe_scan(const struct probe_wish *wish, struct access *access);

#endif
