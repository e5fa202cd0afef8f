#include "rules/alarms.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum rg_err alarms_create(struct alarms *a, uint32_t capacity, const char *gateway, uint64_t next)
{
    *a = (struct alarms){.capacity = capacity,
                         .free = ALARMS_NONE,
                         .oldest = ALARMS_NONE,
                         .newest = ALARMS_NONE,
                         .gateway = gateway,
                         .next = next};
    a->pool = calloc(capacity ? capacity : 1, sizeof *a->pool);
    return a->pool ? RG_OK : RG_ENOMEM;
}

void alarms_destroy(struct alarms *a)
{
    free(a->pool);
    *a = (struct alarms){0};
}

static void list(struct alarms *a, uint32_t index)
{
    a->pool[index].prev = a->newest;
    a->pool[index].next = ALARMS_NONE;
    if (a->newest != ALARMS_NONE)
        a->pool[a->newest].next = index;
    else
        a->oldest = index;
    a->newest = index;
}

static uint32_t take(struct alarms *a, uint32_t owner)
{
    uint32_t index = a->free;

    if (index != ALARMS_NONE)
        a->free = a->pool[index].next;
    else if (a->used < a->capacity)
        index = a->used++;
    else
        return ALARMS_NONE;
    a->pool[index] = (struct occurrence){.owner = owner};
    list(a, index);
    return index;
}

uint32_t alarms_open(struct alarms *a, uint32_t owner, const char *rule, const char *point, const char *area,
                     const struct level_move *move)
{
    uint32_t index = take(a, owner);
    struct alarm *alarm;

    if (index == ALARMS_NONE)
        return index;
    alarm = &a->pool[index].alarm;
    /* Names are identifiers of the configuration, whose length it checks. */
    (void)text_format(alarm->id, sizeof alarm->id, "%s-%llu", a->gateway, (unsigned long long)a->next++);
    (void)text_copy(alarm->rule, sizeof alarm->rule, rule);
    (void)text_copy(alarm->point, sizeof alarm->point, point);
    (void)text_copy(alarm->area, sizeof alarm->area, area ? area : "");
    alarm->raised_ms = move->at.wall_ms;
    alarm->raised_mono_ms = move->at.mono_ms;
    return index;
}

/* The number in "<this gateway's id>-<number>", or 0. */
static uint64_t own_number(const struct alarms *a, const char *id)
{
    size_t length = strlen(a->gateway);
    uint64_t number = 0;

    if (strncmp(id, a->gateway, length) != 0 || id[length] != '-' || !id[length + 1])
        return 0;
    for (const char *p = id + length + 1; *p; p++) {
        if (*p < '0' || *p > '9' || number > (INT64_MAX - 9) / 10)
            return 0;
        number = number * 10 + (uint64_t)(*p - '0');
    }
    return number;
}

uint32_t alarms_restore(struct alarms *a, uint32_t owner, const struct alarm *alarm, const char *area)
{
    uint32_t index = take(a, owner);
    uint64_t number = own_number(a, alarm->id);

    if (index == ALARMS_NONE)
        return index;
    a->pool[index].alarm = *alarm;
    if (a->pool[index].alarm.highest < alarm->level)
        a->pool[index].alarm.highest = alarm->level;
    a->pool[index].shelved_until_ms = INT64_MAX; /* shelves_start says when */
    if (owner != ALARMS_NONE)
        (void)text_copy(a->pool[index].alarm.area, sizeof alarm->area, area ? area : "");
    if (number >= a->next)
        a->next = number + 1;
    return index;
}

/* Numbers grow, whatever the clock was set to; a gateway that was given another id has only the time of day to go by. */
static bool is_older(const struct alarms *a, uint32_t x, uint32_t y)
{
    const struct alarm *one = &a->pool[x].alarm, *other = &a->pool[y].alarm;
    uint64_t first = own_number(a, one->id), second = own_number(a, other->id);

    if (first > 0 && second > 0)
        return first < second;
    return one->raised_ms < other->raised_ms;
}

static uint32_t merge(struct alarms *a, uint32_t x, uint32_t y)
{
    uint32_t head = ALARMS_NONE;
    uint32_t *link = &head;

    while (x != ALARMS_NONE && y != ALARMS_NONE) {
        uint32_t *first = is_older(a, y, x) ? &y : &x;

        *link = *first;
        link = &a->pool[*first].next;
        *first = *link;
    }
    *link = x != ALARMS_NONE ? x : y;
    return head;
}

/* Stable merge sort of count entries along next; what follows them is cut off and left in *rest. */
static uint32_t sort(struct alarms *a, uint32_t head, size_t count, uint32_t *rest)
{
    uint32_t left, right;

    if (count == 1) {
        *rest = a->pool[head].next;
        a->pool[head].next = ALARMS_NONE;
        return head;
    }
    left = sort(a, head, count / 2, rest);
    right = sort(a, *rest, count - count / 2, rest);
    return merge(a, left, right);
}

void alarms_sort(struct alarms *a)
{
    size_t count = 0;
    uint32_t rest, index, following;

    for (uint32_t i = a->oldest; i != ALARMS_NONE; i = a->pool[i].next)
        count++;
    if (count < 2)
        return;
    index = sort(a, a->oldest, count, &rest);
    a->oldest = a->newest = ALARMS_NONE;
    for (; index != ALARMS_NONE; index = following) {
        following = a->pool[index].next;
        list(a, index);
    }
}

enum alarm_event alarms_move(struct occurrence *o, const struct level_move *move)
{
    struct alarm *alarm = &o->alarm;

    alarm->level = move->now;
    if (move->now > alarm->highest)
        alarm->highest = move->now;
    if (move->now == LEVEL_NONE) {
        alarm->cleared_ms = move->at.wall_ms;
        return ALARM_CLEAR;
    }
    if (move->was == LEVEL_NONE)
        return ALARM_RAISE;
    if (move->now < move->was)
        return ALARM_DEESCALATE;
    alarm->acked = false;
    alarm->acked_ms = 0;
    alarm->acked_by[0] = '\0';
    return ALARM_ESCALATE;
}

void alarms_unlist(struct alarms *a, uint32_t index)
{
    struct occurrence *o = &a->pool[index];

    if (o->prev != ALARMS_NONE)
        a->pool[o->prev].next = o->next;
    else
        a->oldest = o->next;
    if (o->next != ALARMS_NONE)
        a->pool[o->next].prev = o->prev;
    else
        a->newest = o->prev;
}

void alarms_release(struct alarms *a, uint32_t index)
{
    a->pool[index].next = a->free;
    a->free = index;
}

enum rg_err alarms_who(const char *by, const char *comment)
{
    if (!by || !by[0] || strlen(by) >= ALARM_WHO_MAX || (comment && strlen(comment) >= ALARM_COMMENT_MAX))
        return RG_EINVAL;
    return RG_OK;
}

enum rg_err alarms_ack(struct occurrence *o, const char *by, struct moment now)
{
    struct alarm *alarm = &o->alarm;

    if (alarm->acked)
        return RG_EEXIST;
    alarm->acked = true;
    alarm->acked_ms = now.wall_ms;
    (void)text_copy(alarm->acked_by, sizeof alarm->acked_by, by);
    return RG_OK;
}

uint32_t alarms_find(const struct alarms *a, const char *id)
{
    uint32_t index = a->oldest;

    while (index != ALARMS_NONE && strcmp(a->pool[index].alarm.id, id) != 0)
        index = a->pool[index].next;
    return index;
}
