#include "uplink/cursor.h"

#include <string.h>

/* One list longer than a cursor may hold: built freely, then brought down to the bound. */
struct ranges {
    size_t count;
    struct seq_range at[CURSOR_RANGES + 2];
};

/* Merges the two neighbours with the smallest gap between them: the fewest records owed again. */
static void ranges_merge_nearest(struct ranges *r)
{
    size_t best = 0;

    for (size_t i = 1; i + 1 < r->count; i++)
        if (r->at[i + 1].first - r->at[i].last < r->at[best + 1].first - r->at[best].last)
            best = i;
    r->at[best].last = r->at[best + 1].last;
    memmove(&r->at[best + 1], &r->at[best + 2], (r->count - best - 2) * sizeof(r->at[0]));
    r->count--;
}

/* Appends, joining what touches the last one. The list holds two more than a cursor, so it is cut down as it
 * grows. */
static void ranges_append(struct ranges *r, int64_t first, int64_t last)
{
    if (last < first)
        return;
    if (r->count > 0 && first <= r->at[r->count - 1].last + 1) {
        if (last > r->at[r->count - 1].last)
            r->at[r->count - 1].last = last;
        return;
    }
    r->at[r->count++] = (struct seq_range){.first = first, .last = last};
    if (r->count > CURSOR_RANGES)
        ranges_merge_nearest(r);
}

static void ranges_store(const struct ranges *r, struct cursor *c)
{
    c->range_count = r->count;
    memcpy(c->ranges, r->at, r->count * sizeof(r->at[0]));
    memset(&c->ranges[r->count], 0, (CURSOR_RANGES - r->count) * sizeof(r->at[0]));
}

static void sort_by_first(struct seq_range *ranges, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct seq_range moved = ranges[i];
        size_t j = i;

        for (; j > 0 && ranges[j - 1].first > moved.first; j--)
            ranges[j] = ranges[j - 1];
        ranges[j] = moved;
    }
}

void cursor_repair(struct cursor *c, int64_t head)
{
    struct ranges r = {0};

    if (head < 0)
        head = 0;
    if (c->acked < 0)
        c->acked = 0;
    if (c->acked > head)
        c->acked = head;
    if (c->range_count > CURSOR_RANGES)
        c->range_count = CURSOR_RANGES;
    sort_by_first(c->ranges, c->range_count);
    for (size_t i = 0; i < c->range_count; i++) {
        const int64_t first = c->ranges[i].first < 1 ? 1 : c->ranges[i].first;
        const int64_t last = c->ranges[i].last > c->acked ? c->acked : c->ranges[i].last;

        ranges_append(&r, first, last);
    }
    ranges_store(&r, c);
}

void cursor_done(struct cursor *c, int64_t first, int64_t last)
{
    struct ranges r = {0};

    if (first < 1)
        first = 1;
    if (last == INT64_MAX)
        last--; /* last + 1 is to be a number */
    if (last < first)
        return;
    for (size_t i = 0; i < c->range_count; i++) {
        const struct seq_range old = c->ranges[i];

        ranges_append(&r, old.first, old.last < first ? old.last : first - 1);
        ranges_append(&r, old.first > last ? old.first : last + 1, old.last);
    }
    if (first > c->acked + 1)
        ranges_append(&r, c->acked + 1, first - 1);
    if (last > c->acked)
        c->acked = last;
    ranges_store(&r, c);
}

void cursor_defer(struct cursor *c, int64_t upto)
{
    struct ranges r = {0};

    if (upto <= c->acked)
        return;
    for (size_t i = 0; i < c->range_count; i++)
        ranges_append(&r, c->ranges[i].first, c->ranges[i].last);
    ranges_append(&r, c->acked + 1, upto);
    c->acked = upto;
    ranges_store(&r, c);
}

void cursor_owe(struct cursor *c, int64_t first, int64_t last)
{
    struct ranges r = {0};
    bool placed = false;

    if (first < 1)
        first = 1;
    if (last > c->acked)
        last = c->acked;
    if (last < first)
        return;
    for (size_t i = 0; i < c->range_count; i++) {
        if (!placed && first < c->ranges[i].first) {
            ranges_append(&r, first, last);
            placed = true;
        }
        ranges_append(&r, c->ranges[i].first, c->ranges[i].last);
    }
    if (!placed)
        ranges_append(&r, first, last);
    ranges_store(&r, c);
}

bool cursor_owes(const struct cursor *c, int64_t seq)
{
    struct seq_range range;

    return seq > c->acked || (cursor_owed(c, seq, &range) && range.first == seq);
}

bool cursor_owed(const struct cursor *c, int64_t from, struct seq_range *out)
{
    for (size_t i = 0; i < c->range_count; i++) {
        if (c->ranges[i].last < from)
            continue;
        *out = c->ranges[i];
        if (out->first < from)
            out->first = from;
        return true;
    }
    return false;
}

int64_t cursor_pending(const struct cursor *c, int64_t head)
{
    int64_t pending = head > c->acked ? head - c->acked : 0;

    for (size_t i = 0; i < c->range_count; i++)
        pending += c->ranges[i].last - c->ranges[i].first + 1;
    return pending;
}
