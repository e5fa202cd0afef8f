#include "view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALARMS_SHOWN 8
#define COLOUR_OFF "\033[0m"

static const char *block_of(enum platform_level level)
{
    static const char *const blocks[] = {"\033[30;42m", "\033[97;44m", "\033[30;43m", "\033[30;48;5;208m",
                                         "\033[97;41m"};

    return level == PL_BAD ? "" : blocks[level];
}

static const char *level_words(enum platform_level level)
{
    static const char *const words[] = {"  none  ", " BLUE 蓝 ", " YELLOW 黄 ", " ORANGE 橙 ", " RED 红 "};

    return level == PL_BAD ? "?" : words[level];
}

static void line_end(FILE *to, bool home)
{
    (void)fputs(home ? "\033[K\n" : "\n", to);
}

static int depth_of(const struct gateway *g, int area)
{
    int depth = 0;

    while (g->areas[area].parent >= 0 && depth < 8) {
        area = g->areas[area].parent;
        depth++;
    }
    return depth;
}

/* The area, then those below it: the order of the tree. */
static void draw_area(FILE *to, const struct gateway *g, int area, bool home)
{
    const struct area_view *a = &g->areas[area];
    int depth = depth_of(g, area);

    (void)fprintf(to, "  %s%s" COLOUR_OFF " %*s%s", block_of(a->level), level_words(a->level), 2 * depth, "",
                  a->label && a->label[0] ? a->label : a->name);
    if (a->alarms > 0)
        (void)fprintf(to, "  (%d alarm%s)", a->alarms, a->alarms == 1 ? "" : "s");
    line_end(to, home);
    for (int i = 0; depth < 8 && i < g->area_count; i++) {
        if (g->areas[i].parent == area)
            draw_area(to, g, i, home);
    }
}

static int alarm_order(const void *a, const void *b)
{
    const struct alarm_view *x = *(const struct alarm_view *const *)a,
                            *y = *(const struct alarm_view *const *)b;

    if (x->level != y->level)
        return x->level < y->level ? 1 : -1;
    return (x->raised_ts > y->raised_ts) - (x->raised_ts < y->raised_ts);
}

static void draw_alarm(FILE *to, const struct alarm_view *a, bool home)
{
    char when[16] = "";
    time_t seconds = (time_t)(a->raised_ts / 1000);
    struct tm local;

    if (a->raised_ts && localtime_r(&seconds, &local))
        (void)strftime(when, sizeof when, "%H:%M:%S", &local);
    (void)fprintf(to, "  %s%s" COLOUR_OFF " %s %s %s", block_of(a->level), level_words(a->level), when,
                  a->point, a->message);
    if (a->has_value)
        (void)fprintf(to, " (%g %s)", a->value, a->unit);
    line_end(to, home);
}

static void draw_alarms(FILE *to, const struct gateway *g, bool home)
{
    const struct alarm_view **active = calloc(g->alarms.active + 1, sizeof *active);
    size_t count = 0;

    if (!active)
        return;
    for (const struct alarm_view *a = alarm_next(&g->alarms, NULL); a; a = alarm_next(&g->alarms, a)) {
        if (a->active && !a->test && count < g->alarms.active) /* a self-test is no alarm of the plant */
            active[count++] = a;
    }
    qsort(active, count, sizeof *active, alarm_order);
    (void)fprintf(to, "Active alarms 当前报警: %zu", count);
    line_end(to, home);
    for (size_t i = 0; i < count && i < ALARMS_SHOWN; i++)
        draw_alarm(to, active[i], home);
    if (count > ALARMS_SHOWN) {
        (void)fprintf(to, "  and %zu more", count - ALARMS_SHOWN);
        line_end(to, home);
    }
    free(active);
}

static void draw_streams(FILE *to, const struct gateway *g, const struct violations *v, bool home)
{
    (void)fputs("Streams 数据流", to);
    line_end(to, home);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct ledger *l = &g->ledgers[kind];

        (void)fprintf(
            to, "  %-10s last %-8lld received %-8llu messages %-6llu back-filled %-4llu sent again %llu",
            stream_kinds[kind], (long long)l->top, (unsigned long long)(l->records - l->resent),
            (unsigned long long)l->messages, (unsigned long long)l->backfill_messages,
            (unsigned long long)l->resent);
        line_end(to, home);
    }
    (void)fprintf(to, "Readings %llu, bad %llu; last event: %s; breaches of the contract: %llu",
                  (unsigned long long)g->readings, (unsigned long long)g->bad_readings, g->last_event,
                  (unsigned long long)v->count);
    line_end(to, home);
}

void view_draw(FILE *to, const struct gateway *first, const struct violations *v, int64_t elapsed_s,
               bool home)
{
    int more = 0;

    if (home)
        (void)fputs("\033[H", to);
    if (!first) {
        (void)fprintf(to, "[%llds] waiting for a gateway", (long long)elapsed_s);
        line_end(to, home);
        (void)fflush(to);
        return;
    }
    for (const struct gateway *g = first->next; g; g = g->next)
        more++;
    (void)fprintf(to, "[%llds] %s, gateway %s: %s", (long long)elapsed_s,
                  first->enterprise[0] ? first->enterprise : first->ent, first->id,
                  first->online ? "online" : "OFFLINE");
    if (more > 0)
        (void)fprintf(to, " (and %d more gateways)", more);
    line_end(to, home);
    (void)fputs("Areas 四色状态", to);
    line_end(to, home);
    for (int i = 0; i < first->area_count; i++) {
        if (first->areas[i].parent < 0)
            draw_area(to, first, i, home);
    }
    draw_alarms(to, first, home);
    draw_streams(to, first, v, home);
    if (home)
        (void)fputs("\033[J", to);
    (void)fflush(to);
}
