/* What is wrong, where, since when, and what to try: from the daemon's `status`, for whoever stands in front of the cabinet.
 * Pure: the time is the answer's own. */
#ifndef RG_CTL_JUDGE_H
#define RG_CTL_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json_read.h"
#include "base/json_write.h"

#define JUDGE_NAME 72
#define JUDGE_WHERE 256
#define JUDGE_WHAT 512
#define JUDGE_ADVICE 384

/* The worst comes first. */
enum judge_weight {
    JUDGE_FAULT,   /* something is not watched, not kept, not told or not switched */
    JUDGE_WARNING, /* it works, and will not for long, or not as well as it should */
};
const char *judge_weight_name(enum judge_weight weight); /* "fault", "warning" */

struct finding {
    enum judge_weight weight;
    const char *part;        /* "bus", "device", "output", "uplink", "store", "clock", "alarms", "gateway" */
    char name[JUDGE_NAME];   /* of the part, where there are several; or empty */
    char bus[JUDGE_NAME];    /* of a device; or empty */
    int64_t unit;            /* of a device; else -1 */
    int64_t since_ms;        /* wall; 0: not known */
    char where[JUDGE_WHERE]; /* "device gas-1 (bus line, unit 3)" */
    char what[JUDGE_WHAT];
    char advice[JUDGE_ADVICE]; /* what to try; a sentence or two */
};

struct judgement {
    struct finding *findings; /* the worst first, else in the order of the status */
    size_t count;
    bool failed; /* out of memory: some are missing */
};

/* status: the "result" of the command. */
void judge_status(const struct json *status, struct judgement *out);
void judge_free(struct judgement *j); /* takes a zeroed one */
/* An array of {weight, part, name, bus, unit, since_ts, where, what, try}. */
void judge_write(const struct judgement *j, struct jsonw *w);

#endif
