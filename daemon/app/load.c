#include "app/load.h"

#include <stdlib.h>

#include "base/log.h"
#include "config/budget.h"

/* Our own choice: full is what leaves no room for a time-out or two, far is what no estimate is off by. */
#define FULL 0.95
#define FULL_OVER 0.85
#define FAR_TIMES 2.0
#define FAR_SHARE 0.2
#define FAR_OVER_TIMES 1.5
#define FAR_OVER_SHARE 0.1

static bool is_far(double planned, double measured, double times, double share)
{
    return measured > planned * times && measured > planned + share;
}

enum load_word load_judge(double planned, double measured, enum load_word before)
{
    if (measured >= (before == LOAD_FULL ? FULL_OVER : FULL))
        return LOAD_FULL;
    if (before == LOAD_FITS ? is_far(planned, measured, FAR_TIMES, FAR_SHARE)
                            : is_far(planned, measured, FAR_OVER_TIMES, FAR_OVER_SHARE))
        return LOAD_OVER_PLAN;
    return LOAD_FITS;
}

const char *load_word_name(enum load_word word)
{
    static const char *const names[] = {
        [LOAD_FITS] = "fits", [LOAD_OVER_PLAN] = "over plan", [LOAD_FULL] = "full"};

    return names[word];
}

enum rg_err load_create(struct load *load, const struct site *site)
{
    *load = (struct load){.site = site};
    load->planned = calloc(site->bus_count + 1, sizeof *load->planned);
    load->words = calloc(site->bus_count + 1, sizeof *load->words);
    if (!load->planned || !load->words)
        return RG_ENOMEM;
    for (uint32_t i = 0; i < site->device_count; i++) {
        struct budget_device b;
        enum rg_err err;

        if (site->devices[i].bus == SITE_NONE)
            continue;
        err = budget_device(site, i, &b);
        if (err != RG_OK)
            return err;
        load->planned[site->devices[i].bus] += budget_share(site, i, &b);
    }
    return RG_OK;
}

void load_destroy(struct load *load)
{
    free(load->planned);
    free(load->words);
    *load = (struct load){.site = NULL};
}

void load_inherit(struct load *load, const struct poll *poll, const struct load *from,
                  const struct poll *from_poll)
{
    for (uint32_t i = 0; i < load->site->bus_count; i++) {
        for (uint32_t k = 0; k < from->site->bus_count; k++) {
            if (poll_bus_id(poll, i) == poll_bus_id(from_poll, k))
                load->words[i] = from->words[k];
        }
    }
}

void load_look(struct load *load, struct poll *poll)
{
    for (uint32_t i = 0; i < load->site->bus_count; i++) {
        int64_t window_us;
        double share = poll_bus_load(poll, i, &window_us);
        enum load_word word;

        if (window_us < LOAD_WINDOW_US)
            continue;
        word = load_judge(load->planned[i], share, load->words[i]);
        if (word > load->words[i])
            log_tell(LOG_LEVEL_WARNING, &(struct log_about){.bus = load->site->buses[i].name},
                     "bus %s: was busy %.0f %% of the last minute, planned were %.0f %%: %s",
                     load->site->buses[i].name, share * 100, load->planned[i] * 100,
                     word == LOAD_FULL ? "polls come late or are left out"
                                       : "its devices answer slowly, or not at all");
        load->words[i] = word;
    }
}
