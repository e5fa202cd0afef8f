/* The self test: now and then a marked test alarm goes the whole way, from a record of the alarm stream through the store and each
 * uplink to the broker's PUBACK, or the platform's receipt where the uplink waits for receipts. Its round trip is measured on the
 * monotonic clock, from the handing over to the store on, and recorded as an event (`self_test`: uplink, ok, round_trip_ms, of, alarm,
 * detail). Where it did not come through within the limit that is an alarm of the reserved rule `self_test`, until one does.
 *
 * The test alarm is two records, raise and clear, at one instant, with "test": true, level blue, rule `self_test`, the gateway as
 * its point, and an id of its own kind, <gateway>-test-<boot>-<number>. It passes every uplink's filter, and counts nowhere else: not for
 * levels, lists, outputs, figures, reports.
 *
 * The interval runs on the monotonic clock; over a restart it goes on by the time of day of the last test that is recorded. A
 * reload while one is under way that takes one of its uplinks away has it done again. */
#ifndef RG_APP_SELF_TEST_H
#define RG_APP_SELF_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_write.h"
#include "base/json_read.h"
#include "model/alarm.h"
#include "model/summary.h"

#define SELF_TEST_SETTLE_MS 60000 /* after the uplinks were made, for them to connect */

struct pipeline;
struct control_call;
struct site;

struct self_test_uplink {
    struct pipeline *p;
    char name[TEXT_ID_MAX + 1];
    bool tested;           /* by the configuration */
    bool waiting;          /* the test that is under way has not come through yet */
    bool watched;          /* the uplink tells when it has */
    struct past_test last; /* ts 0: never */
};

struct self_test {
    struct self_test_uplink *uplinks; /* [count], as the pipeline's */
    size_t count;
    int64_t every_ms; /* as configured when they were made */
    bool past_known;
    struct past_test past[PAST_TESTS]; /* of before these uplinks were made */
    size_t past_count;
    bool running;
    bool refused;     /* the store did not take it */
    bool again;       /* a flush failed, or an uplink could not watch: it is asked once more */
    unsigned flushes; /* asked for, not answered */
    int64_t begun_ms; /* monotonic: the last test; INT64_MIN: none in this run */
    int64_t next_ms;  /* monotonic; INT64_MAX: not known yet, or never */
    uint64_t number;
    char alarm[ALARM_ID_MAX];
    struct control_call *call; /* waits for the outcome; or NULL */
    struct jsonw answer;
};

void self_test_init(struct pipeline *p);
void self_test_free(struct pipeline *p); /* takes a zeroed one; the uplinks are gone */
/* What the store remembers. */
void self_test_past(struct pipeline *p, const struct past *past);
/* The uplinks were made, or are about to be freed. */
void self_test_uplinks(struct pipeline *p);
void self_test_drop(struct pipeline *p);
/* Whether another site with the very same uplinks leaves all as it is: then neither is called. */
bool self_test_same(const struct pipeline *p, const struct site *next);
/* Every second. */
void self_test_look(struct pipeline *p);

/* `self_test`: one now, of all uplinks that are tested or of one of them; answered when it is over. */
RG_NODISCARD enum rg_err self_test_command(struct pipeline *p, struct control_call *call,
                                           const struct json *request, char *error, size_t error_size);
/* For status: [{uplink, last_ts, ok, round_trip_ms, of}], of those that are tested. */
void self_test_status(const struct pipeline *p, struct jsonw *w);

#endif
