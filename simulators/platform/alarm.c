#include "alarm.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 16

static size_t bucket_of(const char *id, size_t count)
{
    uint64_t h = 14695981039346656037u;

    while (*id)
        h = (h ^ (unsigned char)*id++) * 1099511628211u;
    return (size_t)h & (count - 1);
}

struct alarm_view *alarm_find(const struct alarm_book *b, const char *id)
{
    struct alarm_view *a = b->bucket_count ? b->buckets[bucket_of(id, b->bucket_count)] : NULL;

    while (a && strcmp(a->id, id) != 0)
        a = a->next;
    return a;
}

static bool grow(struct alarm_book *b)
{
    size_t count = b->bucket_count ? 2 * b->bucket_count : BUCKETS_FIRST;
    struct alarm_view **buckets = calloc(count, sizeof *buckets);

    if (!buckets)
        return false;
    for (size_t i = 0; i < b->bucket_count; i++) {
        for (struct alarm_view *a = b->buckets[i], *next; a; a = next) {
            size_t to = bucket_of(a->id, count);

            next = a->next;
            a->next = buckets[to];
            buckets[to] = a;
        }
    }
    free(b->buckets);
    b->buckets = buckets;
    b->bucket_count = count;
    return true;
}

bool alarm_text(char **to, const char *text)
{
    char *copy;

    if (*to && strcmp(*to, text ? text : "") == 0)
        return true;
    copy = strdup(text ? text : "");
    if (!copy)
        return false;
    free(*to);
    *to = copy;
    return true;
}

static void alarm_free(struct alarm_view *a)
{
    free(a->id);
    free(a->rule);
    free(a->point);
    free(a->area);
    free(a->label);
    free(a->message);
    free(a->unit);
    free(a);
}

struct alarm_view *alarm_get(struct alarm_book *b, const char *id)
{
    struct alarm_view *a = alarm_find(b, id);
    size_t bucket;

    if (a)
        return a;
    if (b->count == ALARM_KEPT || (b->count >= b->bucket_count && !grow(b)))
        return NULL;
    a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    if (!alarm_text(&a->id, id) || !alarm_text(&a->rule, NULL) || !alarm_text(&a->point, NULL) ||
        !alarm_text(&a->area, NULL) || !alarm_text(&a->label, NULL) || !alarm_text(&a->message, NULL) ||
        !alarm_text(&a->unit, NULL)) {
        alarm_free(a);
        return NULL;
    }
    bucket = bucket_of(id, b->bucket_count);
    a->next = b->buckets[bucket];
    b->buckets[bucket] = a;
    b->count++;
    b->ended++; /* until it is said to be active */
    return a;
}

struct alarm_view *alarm_next(const struct alarm_book *b, const struct alarm_view *after)
{
    size_t bucket = 0;

    if (after && after->next)
        return after->next;
    if (after)
        bucket = bucket_of(after->id, b->bucket_count) + 1;
    while (bucket < b->bucket_count && !b->buckets[bucket])
        bucket++;
    return bucket < b->bucket_count ? b->buckets[bucket] : NULL;
}

static void forget_oldest(struct alarm_book *b, const struct alarm_view *keep)
{
    struct alarm_view *oldest = NULL, **link;

    for (struct alarm_view *a = alarm_next(b, NULL); a; a = alarm_next(b, a)) {
        if (!a->active && a != keep && (!oldest || a->seq < oldest->seq))
            oldest = a;
    }
    if (!oldest)
        return;
    link = &b->buckets[bucket_of(oldest->id, b->bucket_count)];
    while (*link != oldest)
        link = &(*link)->next;
    *link = oldest->next;
    alarm_free(oldest);
    b->count--;
    b->ended--;
}

void alarm_settle(struct alarm_book *b, struct alarm_view *a, bool was_active)
{
    if (a->active && !was_active) {
        b->active++;
        b->ended--;
    } else if (!a->active && was_active) {
        b->active--;
        b->ended++;
    }
    if (b->ended > ALARM_ENDED_KEPT)
        forget_oldest(b, a);
}

void alarm_book_free(struct alarm_book *b)
{
    for (size_t i = 0; i < b->bucket_count; i++) {
        for (struct alarm_view *a = b->buckets[i], *next; a; a = next) {
            next = a->next;
            alarm_free(a);
        }
    }
    free(b->buckets);
    memset(b, 0, sizeof *b);
}

/* ---- alarms that came before their records ---- */

void unstored_told(struct unstored_book *b, uint64_t print)
{
    size_t room = sizeof b->open / sizeof b->open[0];

    b->told++;
    for (size_t i = 0; i < room; i++) {
        if (b->stored[i] == print) { /* its record overtook it */
            b->settled++;
            return;
        }
    }
    for (size_t i = 0; i < b->open_count; i++) {
        if (b->open[i] == print) { /* sent again after a broken connection */
            b->told--;
            return;
        }
    }
    if (b->open_count == room)
        unstored_give_up(b, 1);
    b->open[b->open_count++] = print;
}

void unstored_proper(struct unstored_book *b, uint64_t print)
{
    b->stored[b->stored_next] = print;
    b->stored_next = (b->stored_next + 1) % (sizeof b->stored / sizeof b->stored[0]);
    for (size_t i = 0; i < b->open_count; i++) {
        if (b->open[i] != print)
            continue;
        memmove(b->open + i, b->open + i + 1, (b->open_count - i - 1) * sizeof b->open[0]);
        b->open_count--;
        b->settled++;
        return;
    }
}

void unstored_give_up(struct unstored_book *b, size_t count)
{
    if (count > b->open_count)
        count = b->open_count;
    b->given_up += count;
    b->open_count -= count;
    memmove(b->open, b->open + count, b->open_count * sizeof b->open[0]);
}
