#include "ctl/report.h"

#include <stdlib.h>
#include <string.h>

enum rg_err report_create(struct report *r, const struct site *site, int64_t from_ms, int64_t to_ms)
{
    *r = (struct report){.site = site};
    tally_init(&r->tally, from_ms, to_ms);
    r->gaps = calloc(REPORT_ROWS, sizeof *r->gaps);
    r->runs = calloc(REPORT_ROWS, sizeof *r->runs);
    r->losses = calloc(REPORT_ROWS, sizeof *r->losses);
    r->unknown = calloc(REPORT_ROWS, sizeof *r->unknown);
    return r->gaps && r->runs && r->losses && r->unknown ? RG_OK : RG_ENOMEM;
}

void report_free(struct report *r)
{
    tally_free(&r->tally);
    free(r->gaps);
    free(r->runs);
    free(r->losses);
    free(r->unknown);
    *r = (struct report){0};
}

/* Only what touches what is counted is of interest. */
static bool counts(const struct report *r, int64_t from_ms, int64_t to_ms)
{
    return to_ms >= r->tally.from_ms && (r->tally.to_ms == 0 || from_ms <= r->tally.to_ms);
}

static void change_cb(void *arg, const struct alarm_change *change, bool unsynced)
{
    struct report *r = arg;

    if (tally_change(&r->tally, change) && r->event)
        r->event(r->arg, change, unsynced);
}

static void recorded_cb(void *arg, const struct alarm_change *change)
{
    struct report *r = arg;

    if (r->recorded)
        (void)tally_change(&r->recorded->tally, change);
}

static void thin_cb(void *arg, const struct gap *gap)
{
    struct report *r = arg;

    if (!counts(r, gap->from_ms, gap->to_ms))
        return;
    if (r->gap_count < REPORT_ROWS)
        r->gaps[r->gap_count] = *gap;
    r->gap_count++;
    if (gap->every_ms > 0) {
        r->thinned++;
        return; /* as the configuration said, and no worse */
    }
    r->polls += (uint64_t)gap->polls;
    r->frames += (uint64_t)gap->frames;
}

static void unknown_cb(void *arg, const char *device, const char *point)
{
    struct report *r = arg;

    if (r->unknown_count < REPORT_ROWS)
        (void)text_format(r->unknown[r->unknown_count], POINT_NAME_MAX, "%s%s%s", device, point ? "." : "",
                          point ? point : "");
    r->unknown_count++;
}

static void run_cb(void *arg, int64_t from_ms, int64_t to_ms, bool stopped)
{
    struct report *r = arg;

    if (!counts(r, from_ms, to_ms))
        return;
    if (r->run_count < REPORT_ROWS)
        r->runs[r->run_count] = (struct report_run){from_ms, to_ms, stopped};
    r->run_count++;
}

static void lost_cb(void *arg, int64_t at_ms, const char *stream, int64_t count, const char *cause)
{
    struct report *r = arg;

    if (!counts(r, at_ms, at_ms))
        return;
    if (r->loss_count < REPORT_ROWS) {
        struct report_lost *lost = &r->losses[r->loss_count];

        *lost = (struct report_lost){.at_ms = at_ms, .count = count};
        (void)text_copy(lost->stream, sizeof lost->stream, stream);
        (void)text_copy(lost->cause, sizeof lost->cause, cause);
    }
    r->loss_count++;
}

const struct replay_cbs report_cbs = {.change = change_cb,
                                      .recorded = recorded_cb,
                                      .gap = thin_cb,
                                      .unknown = unknown_cb,
                                      .run = run_cb,
                                      .lost = lost_cb};

enum rg_err report_end(struct report *r, const struct replay_figures *figures)
{
    struct tally *t = &r->tally;

    if (t->from_ms < figures->first_ms)
        t->from_ms = figures->first_ms;
    tally_end(t, figures->last_ms);
    if (t->to_ms == 0 || t->to_ms > figures->last_ms)
        t->to_ms = figures->last_ms;
    return t->error;
}
