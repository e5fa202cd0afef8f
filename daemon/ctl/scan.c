#include "ctl/scan.h"

#include <string.h>

#include "base/text.h"

int64_t scan_pause_ms(const struct scan *s, int64_t took_ms)
{
    int64_t fair = s->shared ? (SCAN_SHARE - 1) * took_ms : 0;

    return fair > s->gap_ms ? fair : s->gap_ms;
}

static enum scan_found judge(const struct driver_raw_answer *answer)
{
    switch (answer->result) {
    case DRIVER_OK:
        return SCAN_ANSWERS;
    case DRIVER_EXCEPTION:
        return SCAN_REFUSES;
    case DRIVER_MALFORMED:
        return SCAN_GARBLED;
    case DRIVER_BROKEN:
    case DRIVER_UNREACHABLE:
        return SCAN_BROKE;
    case DRIVER_SILENT:
        break;
    }
    return SCAN_NOBODY;
}

struct run {
    const struct scan *scan;
    const struct scan_cbs *cbs;
    void *arg;
    struct scan_result *out;
    unsigned breaks; /* in a row */
};

/* Once, and the pause that it costs. False: asking itself failed. */
static bool try_unit(struct run *r, uint8_t unit, struct driver_raw_answer *answer)
{
    struct driver_raw ask = r->scan->model;
    int64_t took_ms = 0;

    ask.unit = unit;
    memset(answer, 0, sizeof *answer);
    if (!r->cbs->ask(r->arg, &ask, answer, &took_ms)) {
        r->out->failed = true;
        return false;
    }
    r->cbs->wait(r->arg, scan_pause_ms(r->scan, took_ms));
    return true;
}

/* False: the scan ends here. */
static bool scan_unit(struct run *r, uint8_t unit)
{
    struct driver_raw_answer answer;
    enum scan_found found;

    r->cbs->progress(r->arg, unit);
    if (!try_unit(r, unit, &answer))
        return false;
    found = judge(&answer);
    /* Noise comes once, two units with one number every time, or nearly so. */
    if (found == SCAN_GARBLED) {
        struct driver_raw_answer again;

        if (!try_unit(r, unit, &again))
            return false;
        if (judge(&again) == SCAN_ANSWERS || judge(&again) == SCAN_REFUSES) {
            answer = again;
            found = judge(&again);
        }
    }
    r->out->asked++;
    r->out->found += found == SCAN_ANSWERS || found == SCAN_REFUSES;
    r->out->garbled += found == SCAN_GARBLED;
    r->breaks = found == SCAN_BROKE ? r->breaks + 1 : 0;
    if (found != SCAN_NOBODY && found != SCAN_BROKE)
        r->cbs->found(r->arg, unit, found, &answer);
    if (answer.result != DRIVER_UNREACHABLE && r->breaks < SCAN_BREAKS)
        return true;
    r->out->ended = true;
    (void)text_copy(r->out->detail, sizeof r->out->detail, answer.detail);
    return false;
}

void scan_run(const struct scan *s, const struct scan_cbs *cbs, void *arg, struct scan_result *out)
{
    struct run r = {.scan = s, .cbs = cbs, .arg = arg, .out = out};

    memset(out, 0, sizeof *out);
    for (unsigned unit = s->first; unit <= s->last; unit++) {
        if (!scan_unit(&r, (uint8_t)unit))
            return;
    }
}
