/* What a back-test finds, gathered while it plays, then written as JSON (for people, show_backtest.h makes tables of that). */
#ifndef RG_CTL_REPORT_H
#define RG_CTL_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/json_write.h"
#include "model/site.h"
#include "replay/run.h"
#include "replay/tally.h"

#define REPORT_ROWS 1000 /* of each list; the rest is counted */

struct report_run {
    int64_t from_ms, to_ms;
    bool stopped;
};

struct report_lost {
    int64_t at_ms, count;
    char stream[16], cause[16];
};

struct report {
    const struct site *site;
    struct tally tally;
    struct gap *gaps; /* [REPORT_ROWS], as are the others */
    struct report_run *runs;
    struct report_lost *losses;
    char (*unknown)[POINT_NAME_MAX];
    size_t gap_count, run_count, loss_count, unknown_count; /* the first REPORT_ROWS of them are kept */
    uint64_t thinned;        /* stretches in which a device was recorded thinned, as configured */
    uint64_t polls, frames;  /* of all gaps */
    struct report *recorded; /* what was recorded then is counted there; NULL: it is not */
    /* Each event within what is counted; NULL: not told. */
    void (*event)(void *arg, const struct alarm_change *change, bool unsynced);
    void *arg;
};

/* from_ms, to_ms: wall; what is counted. RG_ENOMEM. */
RG_NODISCARD enum rg_err report_create(struct report *r, const struct site *site, int64_t from_ms,
                                       int64_t to_ms);
void report_free(struct report *r); /* takes a zeroed one */
/* arg of them: the report. */
extern const struct replay_cbs report_cbs;
/* Once the past is at its end. What still stands is counted to `to`, or to the end of what was recorded. */
enum rg_err report_end(struct report *r, const struct replay_figures *figures);

/* Plays the past in a store through the site of each report, up to until_ms (wall; 0: all), and ends the reports. Blocking. progress: on
 * standard error, when that is a terminal. False: what went wrong was told there. parts: the players, destroyed by the caller. */
bool report_play(const char *store, int64_t until_ms, bool progress, struct report *reports,
                 struct replay_part *parts, size_t count);

/* Members of an object that is open: from, to, frames, readings, recorded, events, rules, history, unknown, never_recorded. */
void report_write(const struct report *r, const struct replay_player *player, struct jsonw *w);
/* from, to, frames, readings, rules (old, new, appears, disappears, higher, lower), the alarms themselves, history, and for each of the two
 * configurations unknown and never_recorded. */
void report_write_comparison(const struct report *old, const struct replay_player *old_player,
                             const struct report *new, const struct replay_player *new_player,
                             struct jsonw *w);

#endif
