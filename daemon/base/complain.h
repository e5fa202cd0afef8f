/* Complaint damping: the same fault is logged at once, then at growing gaps, and its end once. Pure. */
#ifndef RG_BASE_COMPLAIN_H
#define RG_BASE_COMPLAIN_H

#include <stdbool.h>
#include <stdint.h>

struct complaint {
    bool active;
    int64_t next_ms;    /* monotonic: not to be logged again before */
    int64_t gap_ms;     /* the gap that follows next_ms */
    int64_t since_ms;   /* monotonic: when the fault began */
    uint32_t swallowed; /* occurrences not logged since the last line */
};

#define COMPLAIN_FIRST_GAP_MS 10000
#define COMPLAIN_LAST_GAP_MS 3600000

/* The fault occurred at now_ms (monotonic). True when it should be logged now; then *swallowed (may be NULL) holds how
 * often it occurred unlogged since the last line. Gaps: 10 s, doubling up to 1 h. */
bool complain_raise(struct complaint *c, int64_t now_ms, uint32_t *swallowed);
/* The fault is gone. True when its end should be logged (it had been raised). */
bool complain_release(struct complaint *c);

#endif
