/* Windows of rules that look back, filled with what the store has: at a start before anything is polled, and for a reload that gives a window
 * nothing to go on with, off the loop: the rules of before go on until that is done, and what was recorded meanwhile is
 * added as they are exchanged. */
#ifndef RG_APP_PRIME_H
#define RG_APP_PRIME_H

#include "app/pipeline.h"

struct prime;

/* Rules of the next site that want history of their own; *out NULL: none do. RG_ENOMEM, and what rules_create says. */
RG_NODISCARD enum rg_err prime_create(struct pipeline *p, const struct site *next, struct prime **out);
/* Any thread, and as long as it takes. */
void prime_run(struct prime *prime);
/* Any thread: prime_run ends soon; it is not to be used any more then, but destroyed. Takes NULL. */
void prime_cancel(struct prime *prime);
void prime_destroy(struct prime *prime); /* takes NULL */

/* Its rules; they are the caller's from now on. */
struct rules *prime_rules(struct prime *prime);
/* Fills the windows of rules that are not begun: all of it, or what is missing since prime_run (prime; or NULL). When the rules are to begin; *took_ms:
 * how long the loop stood for it. What is wrong is logged, and windows begin empty. */
struct moment prime_fill(struct pipeline *p, struct rules *rules, struct prime *prime, int64_t *took_ms);

#endif
