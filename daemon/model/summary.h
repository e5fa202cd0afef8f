/* What a stretch of time was like, in figures: what the store counts for a report, and the report tells. Bounded: lists hold the
 * worst or the first, and beside each stands how many there were. Times are wall ms; a stretch is [from, to).
 *
 * Records that were taken with an unset clock count where their times put them. */
#ifndef RG_MODEL_SUMMARY_H
#define RG_MODEL_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/level.h"

enum report_kind { REPORT_DAILY, REPORT_MONTHLY };
#define REPORT_KINDS 2
const char *report_kind_name(enum report_kind kind); /* "daily" "monthly" */

#define SUMMARY_DEVICES 10
#define SUMMARY_OUTAGES 10
#define SUMMARY_CONFIGS 20
#define SUMMARY_UPLINKS 16
#define SUMMARY_SHA_MAX 72

/* How many, the middle one (of an even number the lower), and the longest. */
struct summary_times {
    uint64_t count;
    int64_t p50_ms, max_ms;
};

/* Samples of one device: see store/summary.h for what is expected. */
struct summary_device {
    char name[TEXT_ID_MAX + 1];
    uint64_t expected, received; /* received is never above expected */
};

enum summary_outage_kind { OUTAGE_GATEWAY, OUTAGE_BUS, OUTAGE_DEVICE, OUTAGE_UPLINK };
#define OUTAGE_KINDS 4
const char *outage_kind_name(enum summary_outage_kind kind); /* "gateway" "bus" "device" "uplink" */

struct summary_outage {
    enum summary_outage_kind kind;
    char name[TEXT_ID_MAX + 1]; /* of the gateway: empty */
    int64_t from;               /* may lie before the stretch */
    int64_t to;                 /* 0: it went on at the end of the stretch */
    int64_t within_ms;          /* how much of it lies in the stretch */
};

struct summary_config {
    int64_t ts;
    char sha256[SUMMARY_SHA_MAX];
    uint64_t changes;
};

struct summary_uplink {
    char name[TEXT_ID_MAX + 1];
    int64_t down_ms; /* not connected while the gateway ran */
    uint64_t outages;
    uint64_t tests, failed; /* self tests */
    int64_t round_trip_ms;  /* the longest of those that worked; -1: none did */
};

struct summary {
    int64_t from, to;
    uint64_t raised[LEVEL_COUNT]; /* in the stretch, by the highest level that each reached in it */
    uint64_t open[LEVEL_COUNT];   /* at its end */
    uint64_t open_before;         /* at its beginning */
    uint64_t acked, unacked;      /* of all that were active in it: acknowledged by its end, or not */
    struct summary_times to_ack, to_clear; /* of the acknowledgements, the clears in it, from the raise on */
    int64_t samples_from;                  /* samples are counted from here on: before it roll-ups are gone */
    uint64_t expected, received;           /* samples of all devices */
    struct summary_device devices[SUMMARY_DEVICES]; /* the worst of those that lack any, the worst first */
    size_t device_count;
    uint64_t devices_lacking; /* that lack any */
    uint64_t devices_expected;
    struct summary_outage outages[SUMMARY_OUTAGES]; /* the longest first */
    size_t outage_count;
    uint64_t outages_of[OUTAGE_KINDS]; /* how many there were */
    int64_t off_ms;                    /* the gateway did not run */
    uint64_t lost;                     /* records that limits forced it to drop */
    struct summary_config configs[SUMMARY_CONFIGS];
    size_t config_count;
    uint64_t config_changes; /* configurations that were taken */
    struct summary_uplink uplinks[SUMMARY_UPLINKS];
    size_t uplink_count;
    uint64_t uplinks_more;
};

/* ---- what is known of the past ---- */

#define PAST_REPORTS 64 /* of a kind */
#define PAST_TESTS 64   /* uplinks */

struct past_report {
    int64_t from, to;
    bool unsynced;
};

struct past_reports {
    struct past_report told[PAST_REPORTS]; /* the latest, in the order in which they were made */
    size_t count;
    int64_t
        began_ms; /* the first start that is recorded, else the first event, not later than now; 0: there is none */
    int64_t
        synced_ms; /* the first start, or step of the clock, under a set clock, after the last report under an unset
                          one; 0: there is none */
};

/* The last self test of an uplink. */
struct past_test {
    char uplink[TEXT_ID_MAX + 1];
    int64_t ts;
    bool ok;
    int64_t round_trip_ms; /* -1: it did not come through */
};

struct past {
    struct past_reports reports[REPORT_KINDS];
    struct past_test tests[PAST_TESTS];
    size_t test_count;
};

#endif
