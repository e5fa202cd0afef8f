/* Inside the judgement: what its parts share. */
#ifndef RG_CTL_JUDGE_PART_H
#define RG_CTL_JUDGE_PART_H

#include "ctl/judge.h"

/* What is told next: its place is given; what is wrong with it follows, once or not at all. */
struct judge_place {
    struct judgement *j;
    const char *part, *name, *bus; /* name and bus may be NULL */
    int64_t unit;                  /* or -1 */
    int64_t since_ms;              /* or 0 */
    const char *where;             /* behind part and name, in brackets; or NULL */
};

/* advice: {bus} and {name} in it become those of the place. */
void judge_tell(const struct judge_place *at, enum judge_weight weight, const char *advice,
                const char *format, ...) RG_PRINTF(4, 5);

/* Lists end with an entry without advice. The first one whose words (any case) stand in text; else otherwise. */
struct judge_advice {
    const char *words, *advice;
};
const char *judge_advise(const struct judge_advice *list, const char *text, const char *otherwise);

/* ---- judge_field.c ---- */
void judge_buses(struct judgement *j, const struct json *status);
/* ---- judge_uplink.c ---- */
void judge_uplinks(struct judgement *j, const struct json *status);

#endif
