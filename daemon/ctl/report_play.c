#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/report.h"

static void progress_cb(void *arg, uint64_t done, uint64_t total)
{
    (void)arg;
    if (total > 0)
        (void)fprintf(stderr, "\r%3.0f %%", 100.0 * (double)done / (double)total);
}

bool report_play(const char *store, int64_t until_ms, bool progress, struct report *reports,
                 struct replay_part *parts, size_t count)
{
    const struct replay_past past = replay_past_store(store);
    const bool shown = progress && isatty(STDERR_FILENO);
    const struct replay_wish wish = {.until_ms = until_ms, .progress = shown ? progress_cb : NULL};
    char why[REPLAY_WHY];
    enum rg_err err;

    for (size_t i = 0; i < count; i++)
        parts[i] = (struct replay_part){.site = reports[i].site, .cbs = report_cbs, .arg = &reports[i]};
    err = replay_run(&past, &wish, parts, count, why);
    if (shown)
        (void)fputs("\r", stderr);
    for (size_t i = 0; i < count && err == RG_OK; i++) {
        err = report_end(&reports[i], replay_player_figures(parts[i].player));
        (void)text_copy(why, sizeof why, rg_err_text(err));
    }
    if (err != RG_OK)
        (void)fprintf(stderr, "riskgatectl: %s\n", why);
    return err == RG_OK;
}
