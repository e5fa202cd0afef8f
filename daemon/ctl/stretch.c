#include "ctl/stretch.h"

#include <getopt.h>
#include <stdio.h>

#include "ctl/parse.h"

bool stretch_take(struct stretch *s, int code)
{
    if (code == STRETCH_STORE)
        s->store = optarg;
    else if (code == STRETCH_FROM)
        return parse_time_or_tell(optarg, &s->from_ms);
    else if (code == STRETCH_TO)
        return parse_time_or_tell(optarg, &s->to_ms);
    return true;
}

bool stretch_check(const struct stretch *s)
{
    if (s->to_ms == 0 || s->from_ms <= s->to_ms)
        return true;
    (void)fputs("riskgatectl: --from is later than --to\n", stderr);
    return false;
}
