#include "poll/errands.h"

#include <stdlib.h>

enum rg_err errands_add(struct errands *q, const struct poll_errand *what)
{
    const size_t line = what->urgent ? 0 : 1;

    if (q->count == POLL_ERRANDS)
        return RG_EFULL;
    struct errand *e = malloc(sizeof(*e));
    if (e == NULL)
        return RG_ENOMEM;
    *e = (struct errand){.next = NULL, .what = *what};
    if (q->first[line] == NULL)
        q->first[line] = e;
    else
        q->last[line]->next = e;
    q->last[line] = e;
    q->count++;
    return RG_OK;
}

static bool is_mute(const struct errands *q, uint8_t unit)
{
    return (q->mute[unit / 8] >> unit % 8 & 1) != 0;
}

/* The first of a line that may go, and what is before it. */
static struct errand *find(const struct errands *q, size_t line, bool poll_waits, int64_t now_ms,
                           struct errand **before)
{
    const bool impatient = now_ms >= q->patient_until_ms && q->row == 0;

    *before = NULL;
    if (poll_waits && q->row >= (line == 0 ? POLL_ERRANDS_URGENT_ROW : 1))
        return NULL;
    for (struct errand *e = q->first[line]; e != NULL; e = e->next) {
        if (!poll_waits || impatient || !is_mute(q, e->what.ask.unit))
            return e;
        *before = e;
    }
    return NULL;
}

/* before: what is in front of it, or NULL. */
static void take_out(struct errands *q, size_t line, struct errand *e, struct errand *before)
{
    if (before == NULL)
        q->first[line] = e->next;
    else
        before->next = e->next;
    if (q->last[line] == e)
        q->last[line] = before;
    e->next = NULL;
    q->count--;
}

struct errand *errands_take(struct errands *q, bool poll_waits, int64_t now_ms)
{
    for (size_t line = 0; line < 2; line++) {
        struct errand *before = NULL;
        struct errand *e = find(q, line, poll_waits, now_ms, &before);

        if (e == NULL)
            continue;
        take_out(q, line, e, before);
        q->row += q->row < POLL_ERRANDS_URGENT_ROW ? 1 : 0;
        return e;
    }
    return NULL;
}

void errands_ended(struct errands *q, uint8_t unit, bool answered, int64_t now_ms)
{
    const uint8_t bit = (uint8_t)(1u << unit % 8);

    if (answered) {
        q->mute[unit / 8] &= (uint8_t)~bit;
        return;
    }
    q->mute[unit / 8] |= bit;
    q->patient_until_ms = now_ms + ERRANDS_PATIENCE_MS;
}

void errands_polled(struct errands *q)
{
    q->row = 0;
}

bool errands_pass(struct errands *q, poll_done_cb done, const void *from, void *to)
{
    for (size_t line = 0; line < 2; line++) {
        for (struct errand *e = q->first[line]; e != NULL; e = e->next) {
            if (e->what.done != done || e->what.arg != from)
                continue;
            e->what.arg = to;
            return true;
        }
    }
    return false;
}

bool errands_drop(struct errands *q, poll_done_cb done, const void *arg)
{
    for (size_t line = 0; line < 2; line++) {
        struct errand *before = NULL;

        for (struct errand *e = q->first[line]; e != NULL; before = e, e = e->next) {
            if (e->what.done != done || e->what.arg != arg)
                continue;
            take_out(q, line, e, before);
            free(e);
            return true;
        }
    }
    return false;
}

struct errand *errands_take_all(struct errands *q)
{
    struct errand *all = q->first[0];

    if (all == NULL)
        all = q->first[1];
    else
        q->last[0]->next = q->first[1];
    q->first[0] = NULL;
    q->first[1] = NULL;
    q->count = 0;
    return all;
}
