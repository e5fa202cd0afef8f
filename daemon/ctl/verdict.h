/* What a configuration would have made of the recorded past, beside the one that runs, or beside what was recorded of the alarms then. */
#ifndef RG_CTL_VERDICT_H
#define RG_CTL_VERDICT_H

#include <stdio.h>

#include "base/json_write.h"
#include "model/site.h"

#define VERDICT_MAX (64u << 20) /* bytes of what is written */

struct verdict_wish {
    const char *store;
    int64_t from_ms, to_ms;     /* wall; what is counted; to_ms 0: to the end */
    const struct site *running; /* NULL: not at hand, so what was recorded takes its place */
    const struct site *wanted;
    bool progress; /* on a terminal */
};

/* One object: store, beside ("running" or "recorded"), what report_write_comparison writes, and appears_count, disappears_count,
 * other_level_count, alarms_old, alarms_new. Blocking. False: what went wrong was told on standard error. */
bool verdict_write(const struct verdict_wish *wish, struct jsonw *w);
/* For people: the verdict in one sentence, then the tables. text: what verdict_write wrote. False: out of memory. */
bool verdict_show(const struct jsonw *text, FILE *to);

#endif
