#include "rules/slot.h"

void slot_rule_init(struct slot_rule *rule, const struct site_rule *conf)
{
    *rule = (struct slot_rule){
        .on_delay_ms = conf->on_delay_ms, .off_delay_ms = conf->off_delay_ms, .latch_from = conf->latch_from};
}

void slot_init(struct slot *s)
{
    *s = (struct slot){.last = {INT64_MIN, 0}};
}

void slot_restore(struct slot *s, enum level level, bool acked)
{
    slot_init(s);
    s->acked = acked;
    s->level = s->seen = (uint8_t)level;
}

void slot_pass(struct slot *s, struct moment at)
{
    if (at.mono_ms > s->last.mono_ms)
        s->last = at;
}

void slot_halt(struct slot *s, struct moment at)
{
    slot_pass(s, at);
    s->phase = SLOT_STEADY;
    s->seen = s->sure = s->level;
}

static bool is_up(const struct slot *s)
{
    return s->phase == SLOT_RISING || s->phase == SLOT_FROZEN;
}

/* Starts the clocks that a sure verdict of this level starts; those it breaks are no longer between level and
 * seen. */
static void clocks_sure(struct slot *s, enum level seen, struct moment at)
{
    enum level level = s->level;

    if (seen > level) {
        for (enum level i = seen; i > (is_up(s) ? (enum level)s->seen : level); i--)
            s->since[i] = at;
        s->phase = SLOT_RISING;
    } else if (seen < level) {
        for (enum level i = seen; i < (s->phase == SLOT_FALLING ? (enum level)s->seen : level); i++)
            s->since[i] = at;
        s->phase = SLOT_FALLING;
    } else {
        s->phase = SLOT_STEADY;
    }
    s->seen = s->sure = (uint8_t)seen;
}

/* At least this level, at most that one: the clocks of the one run, those above it wait, those above the other are broken;
 * nothing falls. */
static void clocks_unsure(struct slot *s, enum level least, enum level most, struct moment at)
{
    enum level top = is_up(s) ? s->seen : s->level;

    if (most < top)
        top = most > (enum level)s->level ? most : s->level;
    for (enum level i = least; i > top; i--)
        s->since[i] = at;
    s->seen = (uint8_t)(least > top ? least : top);
    s->sure = (uint8_t)least;
    if (least > (enum level)s->level)
        s->phase = SLOT_RISING;
    else
        s->phase = s->seen > s->level ? SLOT_FROZEN : SLOT_STEADY;
}

bool slot_is_latched(const struct slot *s, const struct slot_rule *rule)
{
    return rule->latch_from != LEVEL_NONE && (enum level)s->level >= rule->latch_from && !s->acked;
}

/* The level the alarm has a right to at an instant; its own when no delay has ended. */
static enum level slot_due(const struct slot *s, const struct slot_rule *rule, int64_t mono_ms)
{
    enum level level = s->level;

    if (s->phase == SLOT_RISING) {
        while (level < s->sure && s->since[level + 1].mono_ms + rule->on_delay_ms <= mono_ms)
            level++;
    } else if (s->phase == SLOT_FALLING && !slot_is_latched(s, rule)) {
        while (level > s->seen && s->since[level - 1].mono_ms + rule->off_delay_ms <= mono_ms)
            level--;
    }
    return level;
}

/* The clocks between the new level and the last reading run on. */
static void slot_move(struct slot *s, enum level now, struct moment at, struct level_move *move)
{
    *move = (struct level_move){.was = s->level, .now = now, .at = at};
    if (now > (enum level)s->level)
        s->acked = false;
    s->level = (uint8_t)now;
    s->last = at;
    if (s->seen == now)
        s->phase = SLOT_STEADY;
    else if (s->phase == SLOT_RISING && s->sure <= now)
        s->phase = SLOT_FROZEN;
}

bool slot_take(struct slot *s, const struct slot_rule *rule, struct verdict verdict, struct moment at,
               struct level_move *move)
{
    enum level now;

    if (at.mono_ms < s->last.mono_ms)
        at = s->last;
    s->last = at;
    if (verdict.sure)
        clocks_sure(s, verdict.level, at);
    else
        clocks_unsure(s, verdict.level, verdict.most, at);
    now = slot_due(s, rule, at.mono_ms);
    if (now == (enum level)s->level)
        return false;
    slot_move(s, now, at, move);
    return true;
}

bool slot_ack(struct slot *s, const struct slot_rule *rule, struct moment at, struct level_move *move)
{
    enum level now;

    if (at.mono_ms < s->last.mono_ms)
        at = s->last;
    s->acked = true;
    now = slot_due(s, rule, at.mono_ms);
    if (now == (enum level)s->level)
        return false;
    slot_move(s, now, at, move);
    return true;
}

int64_t slot_deadline(const struct slot *s, const struct slot_rule *rule)
{
    /* Of several clocks the one next to the alarm's level is the oldest. */
    switch ((enum slot_phase)s->phase) {
    case SLOT_RISING:
        return s->since[s->level + 1].mono_ms + rule->on_delay_ms;
    case SLOT_FALLING:
        if (slot_is_latched(s, rule))
            break;
        return s->since[s->level - 1].mono_ms + rule->off_delay_ms;
    case SLOT_STEADY:
    case SLOT_FROZEN:
        break;
    }
    return INT64_MAX;
}

bool slot_expire(struct slot *s, const struct slot_rule *rule, struct level_move *move)
{
    int64_t delay = s->phase == SLOT_RISING ? rule->on_delay_ms : rule->off_delay_ms;
    int64_t deadline = slot_deadline(s, rule);
    enum level now;

    if (deadline == INT64_MAX)
        return false;
    now = slot_due(s, rule, deadline);
    slot_move(s, now, (struct moment){deadline, s->since[now].wall_ms + delay}, move);
    return true;
}
