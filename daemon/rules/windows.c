#include "rules/windows.h"

#include <stdlib.h>

#include "model/site_order.h"

#define POLL_OF_NUMBERS_MS 1000 /* a point that is worked out from nothing that is read */

/* How often each point is sampled. NULL: no rule looks back, or there is no memory. */
static int64_t *polls_of(const struct site *site)
{
    int64_t *polls = NULL;

    for (size_t i = 0; i < site->rule_count && !polls; i++) {
        if (site->rules[i].signal.kind != SIGNAL_VALUE)
            polls = calloc(site->point_count ? site->point_count : 1, sizeof *polls);
    }
    if (!polls)
        return NULL;
    site_polls(site, polls);
    for (size_t i = 0; i < site->point_count; i++)
        polls[i] = polls[i] > 0 ? polls[i] : POLL_OF_NUMBERS_MS;
    return polls;
}

/* polls: NULL counts the most that there can be. */
static void count(const struct site *site, const int64_t *polls, size_t *signals, size_t *cells)
{
    *signals = *cells = 0;
    for (size_t i = 0; i < site->rule_count; i++) {
        const struct site_rule *rule = &site->rules[i];

        if (rule->signal.kind == SIGNAL_VALUE)
            continue;
        *signals += rule->point_count;
        for (size_t j = 0; j < rule->point_count; j++)
            *cells += signal_cells(&rule->signal, polls ? polls[rule->points[j]] : 1);
    }
}

uint64_t windows_memory(const struct site *site)
{
    int64_t *polls = polls_of(site);
    size_t signals, cells;

    count(site, polls, &signals, &cells);
    free(polls);
    return signals * (uint64_t)sizeof(struct signal) + cells * (uint64_t)sizeof(struct cell) +
           (signals > 0 ? site->point_count * (uint64_t)sizeof *polls : 0);
}

enum rg_err windows_create(struct windows *w, const struct site *site)
{
    *w = (struct windows){.polls = polls_of(site)};
    count(site, w->polls, &w->signal_count, &w->cell_count);
    if (w->signal_count > 0 && !w->polls)
        return RG_ENOMEM;
    w->signals = calloc(w->signal_count ? w->signal_count : 1, sizeof *w->signals);
    w->cells = calloc(w->cell_count ? w->cell_count : 1, sizeof *w->cells);
    return w->signals && w->cells ? RG_OK : RG_ENOMEM;
}

void windows_destroy(struct windows *w)
{
    free(w->polls);
    free(w->cells);
    free(w->signals);
    *w = (struct windows){0};
}

struct signal *windows_give(struct windows *w, const struct site *site, uint32_t rule, uint32_t point)
{
    const struct site_signal *conf = &site->rules[rule].signal;
    struct signal *signal;
    int64_t poll_ms;

    if (conf->kind == SIGNAL_VALUE || w->signals_given == w->signal_count)
        return NULL;
    poll_ms = w->polls[point];
    signal = &w->signals[w->signals_given++];
    signal_init(signal, conf, poll_ms, point_is_single(&site->points[point]), &w->cells[w->cells_given]);
    w->cells_given += signal_cells(conf, poll_ms);
    return signal;
}

void windows_history_ms(const struct site *site, int64_t *ms)
{
    int64_t *polls = polls_of(site), slowest = POLL_OF_NUMBERS_MS;

    for (size_t i = 0; i < site->device_count; i++)
        slowest = site->devices[i].poll_ms > slowest ? site->devices[i].poll_ms : slowest;
    for (size_t i = 0; i < site->rule_count; i++) {
        const struct site_rule *rule = &site->rules[i];

        for (size_t j = 0; j < rule->point_count && rule->signal.kind != SIGNAL_VALUE; j++) {
            uint32_t point = rule->points[j], device = site->points[point].device;
            int64_t back = rule->signal.window_ms + signal_hold_ms(polls ? polls[point] : slowest);

            ms[device] = back > ms[device] ? back : ms[device];
        }
    }
    free(polls);
}

void windows_start(struct windows *w, int64_t now_ms)
{
    for (size_t i = 0; i < w->signals_given; i++) {
        if (w->signals[i].last_ms > now_ms)
            signal_reset(&w->signals[i]);
    }
}
