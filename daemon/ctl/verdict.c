#include "ctl/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "ctl/field.h"
#include "ctl/report.h"
#include "ctl/show_backtest.h"

enum side { SIDE_WANTED, SIDE_OLD, SIDES };

struct counts {
    int64_t appears, disappears, other_level;
};

static void count_cb(void *arg, const struct tally_alarm *before, const struct tally_alarm *after)
{
    struct counts *c = arg;

    c->appears += !before;
    c->disappears += !after;
    c->other_level += before && after && before->highest != after->highest;
}

static int64_t alarms_of(const struct tally *t)
{
    int64_t count = 0;

    for (size_t i = 0; i < t->names.device_count; i++)
        count += (int64_t)t->rules[i].alarms;
    return count;
}

static void write_all(const struct verdict_wish *wish, const struct report *reports,
                      const struct replay_part *parts, struct jsonw *w)
{
    const struct report *old = &reports[SIDE_OLD], *wanted = &reports[SIDE_WANTED];
    const struct replay_player *player = parts[SIDE_WANTED].player;
    struct counts counts = {0};
    const struct tally_versus versus = {&counts, count_cb};

    tally_compare(&old->tally, &wanted->tally, &versus);
    jsonw_object_begin(w);
    jsonw_key_string(w, "store", wish->store);
    jsonw_key_string(w, "beside", wish->running ? "running" : "recorded");
    jsonw_key_int(w, "alarms_old", alarms_of(&old->tally));
    jsonw_key_int(w, "alarms_new", alarms_of(&wanted->tally));
    jsonw_key_int(w, "appears_count", counts.appears);
    jsonw_key_int(w, "disappears_count", counts.disappears);
    jsonw_key_int(w, "other_level_count", counts.other_level);
    report_write_comparison(old, wish->running ? parts[SIDE_OLD].player : player, wanted, player, w);
    jsonw_object_end(w);
}

static bool play(const struct verdict_wish *wish, struct report *reports, struct replay_part *parts)
{
    if (!report_play(wish->store, wish->to_ms, wish->progress, reports, parts, wish->running ? SIDES : 1))
        return false;
    if (wish->running ||
        report_end(&reports[SIDE_OLD], replay_player_figures(parts[SIDE_WANTED].player)) == RG_OK)
        return true;
    (void)fputs("riskgatectl: out of memory\n", stderr);
    return false;
}

bool verdict_write(const struct verdict_wish *wish, struct jsonw *w)
{
    struct report reports[SIDES] = {0};
    struct replay_part parts[SIDES] = {0};
    const struct site *sites[SIDES] = {wish->wanted, wish->running ? wish->running : wish->wanted};
    bool good = true;

    for (size_t i = 0; i < SIDES && good; i++)
        good = report_create(&reports[i], sites[i], wish->from_ms, wish->to_ms) == RG_OK;
    if (!wish->running)
        reports[SIDE_WANTED].recorded = &reports[SIDE_OLD];
    if (!good)
        (void)fputs("riskgatectl: out of memory\n", stderr);
    good = good && play(wish, reports, parts);
    if (good)
        write_all(wish, reports, parts, w);
    for (size_t i = 0; i < SIDES; i++) {
        replay_player_destroy(parts[i].player);
        report_free(&reports[i]);
    }
    return good;
}

bool verdict_show(const struct jsonw *text, FILE *to)
{
    struct json *json = NULL;
    bool running;

    if (jsonw_error(text) != RG_OK || json_parse(text->text, text->length, VERDICT_MAX, &json) != RG_OK) {
        (void)fputs("riskgatectl: out of memory\n", stderr);
        return false;
    }
    running = strcmp(field_text(json, "beside"), "running") == 0;
    (void)fprintf(to,
                  "\nBack-test: %" PRId64 " alarms with it, %" PRId64 " %s; %" PRId64 " appear, %" PRId64
                  " disappear, %" PRId64 " at another level.\n",
                  field_int(json, "alarms_new"), field_int(json, "alarms_old"),
                  running ? "with what runs" : "were recorded", field_int(json, "appears_count"),
                  field_int(json, "disappears_count"), field_int(json, "other_level_count"));
    if (!running)
        (void)fputs("(The file of what runs was changed since: \"old\" is what was recorded of alarms then, "
                    "whatever was configured. --running FILE\nnames a copy of what runs.)\n",
                    to);
    show_comparison(json, to);
    json_free(json);
    return true;
}
