#include "rules/windows.h"

#include <stdlib.h>

void windows_count(const struct site *site, size_t *signals, size_t *cells)
{
    *signals = *cells = 0;
    for (size_t i = 0; i < site->rule_count; i++) {
        const struct site_rule *rule = &site->rules[i];

        if (rule->signal.kind == SIGNAL_VALUE)
            continue;
        *signals += rule->point_count;
        for (size_t j = 0; j < rule->point_count; j++)
            *cells += signal_cells(&rule->signal, signal_poll_ms(site, rule->points[j]));
    }
}

enum rg_err windows_create(struct windows *w, const struct site *site)
{
    *w = (struct windows){0};
    windows_count(site, &w->signal_count, &w->cell_count);
    w->signals = calloc(w->signal_count ? w->signal_count : 1, sizeof *w->signals);
    w->cells = calloc(w->cell_count ? w->cell_count : 1, sizeof *w->cells);
    return w->signals && w->cells ? RG_OK : RG_ENOMEM;
}

void windows_destroy(struct windows *w)
{
    free(w->cells);
    free(w->signals);
    *w = (struct windows){0};
}

struct signal *windows_give(struct windows *w, const struct site *site, uint32_t rule, uint32_t point)
{
    const struct site_signal *conf = &site->rules[rule].signal;
    int64_t poll_ms = signal_poll_ms(site, point);
    struct signal *signal;

    if (conf->kind == SIGNAL_VALUE || w->signals_given == w->signal_count)
        return NULL;
    signal = &w->signals[w->signals_given++];
    signal_init(signal, conf, poll_ms, point_is_single(&site->points[point]), &w->cells[w->cells_given]);
    w->cells_given += signal_cells(conf, poll_ms);
    return signal;
}

int64_t windows_history_ms(const struct site *site, uint32_t device)
{
    int64_t longest = 0;

    for (size_t i = 0; i < site->rule_count; i++) {
        const struct site_rule *rule = &site->rules[i];

        for (size_t j = 0; j < rule->point_count && rule->signal.kind != SIGNAL_VALUE; j++) {
            uint32_t point = rule->points[j];
            int64_t ms = rule->signal.window_ms + signal_hold_ms(signal_poll_ms(site, point));

            if (ms > longest && (device == SITE_NONE || site->points[point].device == device))
                longest = ms;
        }
    }
    return longest;
}

void windows_start(struct windows *w, int64_t now_ms)
{
    for (size_t i = 0; i < w->signals_given; i++) {
        if (w->signals[i].last_ms > now_ms)
            signal_reset(&w->signals[i]);
    }
}
