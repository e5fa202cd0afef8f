/* When the end of a certificate is told: 30 days ahead, 7 days, 1 day, and when it is there. Pure. */
#ifndef RG_CRYPTO_EXPIRY_STAGE_H
#define RG_CRYPTO_EXPIRY_STAGE_H

#include <stdbool.h>
#include <stdint.h>

enum expiry_stage { EXPIRY_FAR, EXPIRY_MONTH, EXPIRY_WEEK, EXPIRY_DAY, EXPIRY_ENDED };

/* How near the end is; wall ms. A certificate is still good at the instant of its end (RFC 5280, 4.1.2.5). */
enum expiry_stage expiry_stage(int64_t ends_ms, int64_t now_ms);
/* Whole days that are left, rounded down; negative after the end. */
int64_t expiry_days(int64_t ends_ms, int64_t now_ms);

/* What was told of one certificate. Zeroed: nothing. */
struct expiry_told {
    int64_t ends_ms; /* of which one; a renewed one begins anew */
    enum expiry_stage stage;
    bool doubtful; /* told while the clock was not synchronised */
};

/* Whether there is something to tell now, which then counts as told: the end is nearer than when it was told last, or what was told
 * in doubt is certain now. */
bool expiry_told_step(struct expiry_told *told, int64_t ends_ms, int64_t now_ms, bool synced);

#endif
