/* Inside the desk: what request_desk.c (who may ask, and what of it is heard) and request_run.c (what is done then) share. */
#ifndef RG_APP_REQUEST_IMPL_H
#define RG_APP_REQUEST_IMPL_H

#include "app/pipeline.h"
#include "app/request_desk.h"
#include "app/request_gate.h"
#include "app/request_owed.h"
#include "app/request_read.h"

#define DESK_SEATS 128 /* names of uplinks, those of before a reload included */

/* One platform, by the name of its uplink; it stays when a reload takes that away, and its ids with it. */
struct seat {
    char name[TEXT_ID_MAX + 1];
    struct gate gate;
    size_t reads; /* under way */
};

struct pending {
    struct request_read read;
    struct owed *answer;
};

struct request_desk {
    struct pipeline *p;
    struct seat *seats[DESK_SEATS];
    size_t seat_count;
    struct owed_list owed;
    struct pending pendings[REQUEST_READS];
    struct jsonw text;
    struct loop_timer *timer;
    bool looking; /* it is armed */
};

/* What is being judged. */
struct call {
    struct request_desk *d;
    struct seat *seat;
    const struct site_uplink *uplink;
    const struct uplink_request *in;
    struct request request;
    char by[ALARM_WHO_MAX]; /* as it is recorded */
    char error[REQUEST_ERROR_MAX];
};

/* ---- request_desk.c ---- */

int64_t desk_mono(const struct request_desk *d);
int64_t desk_wall(const struct request_desk *d);
/* Something is to be looked at again. */
void desk_look(struct request_desk *d);

/* ---- request_run.c ---- */

/* "<by>@<uplink>"; out has room for ALARM_WHO_MAX. */
void run_name(const char *by, const char *uplink, char *out);
/* The answer that says no. first: what came of its id before, or NULL. recorded: as owed_text. */
void run_error(struct request_desk *d, struct owed *answer, const char *id, const char *error,
               const struct gate_outcome *first, bool recorded);
/* Carries the command out, or begins to; it is answered now or later, and its id is used up. */
void run_command(struct call *c, struct owed *answer);
/* A read is over; error: NULL, or why it came to nothing. */
void run_read_end(struct request_desk *d, struct pending *pending, const char *error);

#endif
