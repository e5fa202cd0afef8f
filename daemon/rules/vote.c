#include "rules/vote.h"

#include <string.h>

static void count(struct vote *v, const struct vote_member *m, uint32_t add)
{
    v->at[m->level] += add;
    v->least[m->least] += add;
    v->most[m->most] += add;
    if (m->seen && !m->sure) {
        v->bad[m->level] += add;
        v->bad_most[m->most] += add;
    }
    if (m->sure)
        v->sure += add;
}

void vote_init(struct vote *v, const struct site_rule *conf, struct vote_member *members, uint32_t n)
{
    *v = (struct vote){.need = conf->vote_need, .policy = conf->vote_bad, .members = members, .count = n};
    memset(members, 0, n * sizeof *members);
    v->at[LEVEL_NONE] = v->least[LEVEL_NONE] = v->most[LEVEL_NONE] = n;
}

void vote_restore(struct vote *v, enum level level)
{
    for (uint32_t i = 0; i < v->count; i++) {
        count(v, &v->members[i], UINT32_MAX); /* one less */
        v->members[i] = (struct vote_member){.level = (uint8_t)level, .most = (uint8_t)level};
        count(v, &v->members[i], 1);
    }
}

void vote_inherit(struct vote *v, const struct vote *from)
{
    struct vote_member *members = v->members;

    memcpy(members, from->members, v->count * sizeof *members);
    *v = *from;
    v->members = members;
}

void vote_take(struct vote *v, uint32_t member, struct verdict verdict)
{
    struct vote_member *m = &v->members[member];

    count(v, m, UINT32_MAX); /* one less */
    m->seen = true;
    m->sure = verdict.sure;
    m->least = (uint8_t)verdict.level;
    if (verdict.sure || verdict.level > (enum level)m->level)
        m->level = (uint8_t)verdict.level;
    m->most = verdict.most < (enum level)m->level ? (uint8_t)verdict.most : m->level;
    count(v, m, 1);
}

/* Whether so many members at a level or higher, and so many bad ones below it, give it. */
static bool enough(const struct vote *v, uint32_t at, uint32_t bad_below)
{
    return at > 0 && at + (v->policy == VOTE_BAD_COUNTS ? bad_below : 0) >= v->need;
}

struct verdict vote_judge(const struct vote *v, enum level level)
{
    uint32_t at = 0, may = 0, least = 0, below = 0, may_below = 0;
    enum level held = LEVEL_NONE, most = LEVEL_NONE, proved = LEVEL_NONE, is;
    bool sure;

    for (int i = LEVEL_NONE; i < LEVEL_COUNT; i++)
        below += v->bad[i];
    may_below = below;
    for (enum level i = LEVEL_RED; i > LEVEL_NONE && proved == LEVEL_NONE; i--) {
        at += v->at[i];
        may += v->most[i];
        least += v->least[i];
        below -= v->bad[i];
        may_below -= v->bad_most[i];
        if (held == LEVEL_NONE && enough(v, at, below))
            held = i;
        if (!enough(v, may, may_below))
            continue;
        if (most == LEVEL_NONE)
            most = i;
        if (least > 0)
            proved = i;
    }
    is = held < level ? held : level;
    is = proved > is ? proved : is;
    sure = v->sure > 0 && held <= is;
    return (struct verdict){is, sure, sure || most < is ? is : most};
}

uint32_t vote_first(const struct vote *v, enum level level)
{
    for (uint32_t i = 0; i < v->count; i++) {
        if (v->members[i].seen && v->members[i].least >= level)
            return i;
    }
    return UINT32_MAX;
}
