#include "rules/figures.h"

#include <stdlib.h>

#define SECOND_MS 1000
#define HOUR_MS (3600 * (int64_t)SECOND_MS)
#define DAY_MS (24 * HOUR_MS)

enum rg_err figures_create(struct figures *f, uint32_t owner_count)
{
    size_t room = owner_count ? owner_count : 1;

    *f = (struct figures){.owner_count = owner_count};
    f->owners = calloc(room, sizeof *f->owners);
    f->raised = calloc(room, sizeof *f->raised);
    if (!f->owners || !f->raised) {
        figures_destroy(f);
        return RG_ENOMEM;
    }
    return RG_OK;
}

void figures_destroy(struct figures *f)
{
    free(f->raised);
    free(f->owners);
    *f = (struct figures){0};
}

uint64_t figures_memory(uint64_t owner_count)
{
    return owner_count * (sizeof(struct figures_owner) + sizeof(uint32_t));
}

void figures_start(struct figures *f, struct moment now)
{
    f->since = now;
}

static int64_t elapsed_ms(const struct figures *f, struct moment now)
{
    return now.mono_ms > f->since.mono_ms ? now.mono_ms - f->since.mono_ms : 0;
}

/* A flood ends at the very second in which the sum falls low enough, whenever that is looked at. */
static void end_flood(struct figures_window *w)
{
    if (!w->flood || w->sum >= FIGURES_FLOOD_BELOW)
        return;
    w->flood = false;
    w->flooded_ms += w->second * SECOND_MS - w->flood_since_ms;
}

/* Brings the window up to a time after the start; one in the past changes nothing. */
static void window_advance(struct figures_window *w, int64_t elapsed)
{
    int64_t second = elapsed / SECOND_MS;

    while (w->second < second && w->sum > 0) {
        uint16_t *oldest;

        w->second++;
        oldest = &w->cells[w->second % FIGURES_SPAN_S];
        w->sum -= *oldest;
        *oldest = 0;
        end_flood(w);
    }
    if (w->second < second)
        w->second = second; /* every cell is empty */
}

static void window_raise(struct figures_window *w, int64_t elapsed)
{
    uint16_t *newest;

    window_advance(w, elapsed);
    newest = &w->cells[w->second % FIGURES_SPAN_S];
    if (*newest == UINT16_MAX)
        return; /* 65535 in one second: what more there is makes no worse flood */
    *newest = (uint16_t)(*newest + 1);
    w->sum++;
    if (w->flood || w->sum <= FIGURES_FLOOD_ABOVE)
        return;
    w->flood = true;
    w->floods++;
    w->flood_since_ms = elapsed > w->second * SECOND_MS ? elapsed : w->second * SECOND_MS;
}

static void owner_raise(struct figures_owner *o, int64_t mono_ms)
{
    bool first = o->raises == 0;
    int64_t gap = first ? UINT16_MAX : mono_ms - o->last_ms;

    if (gap < 0)
        gap = 0;
    if (!first && mono_ms < o->last_ms)
        mono_ms = o->last_ms;
    o->chattering = (o->chattering && gap < FIGURES_CHATTER_MS) || gap + o->gap_ms <= FIGURES_CHATTER_MS;
    o->gap_ms = (uint16_t)(gap < UINT16_MAX ? gap : UINT16_MAX);
    o->last_ms = mono_ms;
    if (o->raises < UINT32_MAX)
        o->raises++;
}

void figures_raise(struct figures *f, uint32_t owner, struct moment at)
{
    window_raise(&f->window, elapsed_ms(f, at));
    f->raises++;
    if (f->window.sum > f->peak) {
        f->peak = f->window.sum;
        f->peak_wall_ms = at.wall_ms;
    }
    if (owner >= f->owner_count)
        return;
    if (f->owners[owner].raises == 0) {
        f->owners[owner].gap_ms = UINT16_MAX;
        f->raised[f->raised_count++] = owner;
    }
    owner_raise(&f->owners[owner], at.mono_ms);
}

bool figures_chatters(const struct figures *f, uint32_t owner, struct moment now)
{
    return owner < f->owner_count && f->owners[owner].chattering &&
           now.mono_ms - f->owners[owner].last_ms < FIGURES_CHATTER_MS;
}

void figures_each_chattering(const struct figures *f, struct moment now,
                             void (*cb)(void *arg, const struct figures_alarm *alarm), void *arg)
{
    for (uint32_t i = 0; i < f->raised_count; i++) {
        struct figures_alarm alarm = {f->raised[i], f->owners[f->raised[i]].raises};

        if (figures_chatters(f, alarm.owner, now))
            cb(arg, &alarm);
    }
}

static bool more_frequent(const struct figures_alarm *a, const struct figures_alarm *b)
{
    return a->raises > b->raises || (a->raises == b->raises && a->owner < b->owner);
}

/* Keeps the most frequent in order. */
static void rank(struct figures_report *out, struct figures_alarm alarm)
{
    uint32_t at = out->top_count;

    if (at < FIGURES_TOP)
        out->top_count++;
    else if (!more_frequent(&alarm, &out->top[--at]))
        return;
    for (; at > 0 && more_frequent(&alarm, &out->top[at - 1]); at--)
        out->top[at] = out->top[at - 1];
    out->top[at] = alarm;
}

static double average(uint64_t raises, int64_t elapsed, int64_t unit)
{
    return (double)raises * (double)unit / (double)(elapsed > unit ? elapsed : unit);
}

void figures_read(const struct figures *f, struct moment now, struct figures_report *out)
{
    struct figures_window w = f->window;
    int64_t elapsed = elapsed_ms(f, now);
    uint64_t of_top = 0;

    window_advance(&w, elapsed);
    *out = (struct figures_report){
        .since_ms = f->since.wall_ms,
        .raises = f->raises,
        .per_10min = w.sum,
        .peak_10min = f->peak,
        .peak_ms = f->peak_wall_ms,
        .per_hour = average(f->raises, elapsed, HOUR_MS),
        .per_day = average(f->raises, elapsed, DAY_MS),
        .flood = w.flood,
        .floods = w.floods,
    };
    if (w.flood) {
        out->flood_since_ms = f->since.wall_ms + w.flood_since_ms;
        w.flooded_ms += elapsed > w.flood_since_ms ? elapsed - w.flood_since_ms : 0;
    }
    out->flood_share = elapsed > 0 ? (double)w.flooded_ms / (double)elapsed : 0;
    for (uint32_t i = 0; i < f->raised_count; i++) {
        uint32_t owner = f->raised[i];

        out->chattering += figures_chatters(f, owner, now) ? 1 : 0;
        rank(out, (struct figures_alarm){owner, f->owners[owner].raises});
    }
    for (uint32_t i = 0; i < out->top_count; i++)
        of_top += out->top[i].raises;
    out->top_share = f->raises ? (double)of_top / (double)f->raises : 0;
}

void figures_inherit(struct figures *f, const struct figures *from)
{
    f->since = from->since;
    f->window = from->window;
    f->raises = from->raises;
    f->peak = from->peak;
    f->peak_wall_ms = from->peak_wall_ms;
}

void figures_inherit_owner(struct figures *f, uint32_t owner, const struct figures *from, uint32_t old)
{
    if (owner >= f->owner_count || old >= from->owner_count || f->owners[owner].raises > 0 ||
        from->owners[old].raises == 0)
        return;
    f->owners[owner] = from->owners[old];
    f->raised[f->raised_count++] = owner;
}
