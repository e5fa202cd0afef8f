/* A report: the body of a record of the stream `report`, made of a summary. Pure. It is made when nothing happened, too: then
 * `zero` is true and `completeness` says how far that can be believed.
 *
 * Members: ts, kind ("daily", "monthly"), from, to (wall ms; [from, to)), due (when it was to be made), late (true only),
 * gap_from (only where nothing tells of the time up to `from`), zero, raised and open {red, orange, yellow, blue},
 * open_before, acked, unacked, time_to_ack_s and time_to_clear_s {n, p50, max} (null: there were none), completeness (0 to 1; null:
 * nothing was expected), samples {expected, received, from (only where what was before
 * it is not known any more)}, devices [{device, expected, received, share}] (the worst first) and
 * devices_more, outages [{what, name, from, to, s}] (the longest first; to null: it went on) and outages_more, outage_count {gateway,
 * bus, device, uplink}, lost, config [{ts, sha256, changes}] and config_more, uptime_s, uplinks [{uplink, down_s, outages,
 * tests, failed, round_trip_ms}] and uplinks_more. What the lists leave out is counted beside them; a body is shorter than
 * REPORT_BODY_MAX bytes. */
#ifndef RG_REPORT_REPORT_H
#define RG_REPORT_REPORT_H

#include "base/json_write.h"
#include "model/summary.h"

#define REPORT_BODY_MAX 16384

struct report_frame {
    enum report_kind kind;
    int64_t due_ms; /* wall; 0: it is a preview, and was not due */
    bool late;
    int64_t gap_from; /* 0: none */
};

/* Writes the members behind ts (record_begin), up to what belongs to every record. */
void report_write(struct jsonw *w, const struct report_frame *frame, const struct summary *s);
/* Nothing was active at any time in it. */
bool report_is_zero(const struct summary *s);
/* Received of expected, never above 1; -1: nothing was expected. */
double report_share(uint64_t expected, uint64_t received);

#endif
