/* The periodic reports: what schedule.h says is due is counted by the store (inquiry.h), written (report.h) and appended to the
 * stream `report`. One at a time, off the loop but for the writing. What is told already is read from the store at the start, so no
 * period is told twice; a report that could not be made is tried again.
 *
 * Here too is told to the store which devices are asked how often: what is expected of them. */
#ifndef RG_APP_REPORTS_H
#define RG_APP_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_read.h"
#include "report/report.h"
#include "report/schedule.h"

#define REPORTS_RETRY_MS 10000
#define REPORTS_CALLS 4 /* questions of people under way */

struct pipeline;
struct control_call;

enum reports_state {
    REPORTS_IDLE,
    REPORTS_RECALLING, /* the store is asked what was told */
    REPORTS_FLUSHING,  /* all that came by now is committed first */
    REPORTS_COUNTING,  /* the store is asked for the figures */
};

struct reports_call {
    struct pipeline *p;
    bool used;
    struct control_call *call; /* NULL: who asked is gone */
    enum report_kind kind;
};

struct reports {
    enum reports_state state;
    bool recalled; /* past is as the store says */
    struct past_reports past[REPORT_KINDS];
    enum report_kind kind; /* of the one under way */
    struct schedule_due due;
    int64_t retry_ms;  /* monotonic: nothing is tried before */
    int64_t looked_ms; /* wall: when it was last looked, ... */
    int64_t next_ms;   /* ... and when the next one will be due, if the clock goes on from there */
    uint64_t failures;
    struct reports_call calls[REPORTS_CALLS];
};

void reports_init(struct pipeline *p);
/* Another site is in force, or the clock was stepped. */
void reports_duties(struct pipeline *p);
/* The clock was stepped: what the store says of the past is read again. */
void reports_stepped(struct pipeline *p);
/* Every second. */
void reports_look(struct pipeline *p);

/* `report`: {last: "daily"|"monthly"} the last one that was made (default daily), {now: true} what the one of the period under way
 * would say by now. Answered later. */
RG_NODISCARD enum rg_err reports_command(struct pipeline *p, struct control_call *call,
                                         const struct json *request, char *error, size_t error_size);

#endif
