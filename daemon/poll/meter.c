#include "poll/meter.h"

#include <stddef.h>

void meter_start(struct meter *m, int64_t now_us)
{
    *m = (struct meter){
        .since_us = now_us, .slot = now_us / METER_SLOT_US, .from_us = now_us, .until_us = now_us};
}

/* The slot becomes the newest; those that were passed over are empty. */
static void advance(struct meter *m, int64_t slot)
{
    if (slot - m->slot > METER_SLOTS)
        m->slot = slot - METER_SLOTS;
    while (m->slot < slot)
        m->busy[++m->slot % METER_SLOTS] = 0;
}

/* What was busy before that instant is counted. */
static void count(struct meter *m, int64_t before_us)
{
    const int64_t end_us = m->until_us < before_us ? m->until_us : before_us;

    while (m->from_us < end_us) {
        const int64_t slot = m->from_us / METER_SLOT_US;
        const int64_t slot_end_us = (slot + 1) * METER_SLOT_US;
        const int64_t until_us = end_us < slot_end_us ? end_us : slot_end_us;

        advance(m, slot);
        m->busy[slot % METER_SLOTS] += until_us - m->from_us;
        m->from_us = until_us;
    }
}

void meter_add(struct meter *m, int64_t begin_us, int64_t end_us)
{
    count(m, begin_us);
    if (begin_us > m->until_us)
        m->from_us = begin_us;
    if (end_us > m->until_us)
        m->until_us = end_us;
}

double meter_share(struct meter *m, int64_t now_us, int64_t *window_us)
{
    int64_t from_us = (now_us / METER_SLOT_US - METER_SLOTS + 1) * METER_SLOT_US;
    int64_t busy = 0;

    count(m, now_us);
    advance(m, now_us / METER_SLOT_US);
    for (int i = 0; i < METER_SLOTS; i++)
        busy += m->busy[i];
    if (from_us < m->since_us)
        from_us = m->since_us;
    if (window_us != NULL)
        *window_us = now_us - from_us;
    if (now_us <= from_us || busy <= 0)
        return 0;
    return busy < now_us - from_us ? (double)busy / (double)(now_us - from_us) : 1;
}
