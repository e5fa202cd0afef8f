#include "ctl/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/judge_part.h"

/* Our own choices. */
#define FREE_LEAST ((int64_t)256 << 20) /* bytes: less is told, unless the store is as large as it may be */
#define COMMIT_SLOW_MS 2000             /* a good disk takes some 10 */
#define LOOP_LATE_MS 1000

const char *judge_weight_name(enum judge_weight weight)
{
    return weight == JUDGE_FAULT ? "fault" : "warning";
}

/* "{bus}" and "{name}" as what they stand for, so that a command can be copied as it is. */
static void write_advice(const struct judge_place *at, const char *advice, char out[JUDGE_ADVICE])
{
    size_t used = 0;

    out[0] = '\0';
    while (*advice && used + 1 < JUDGE_ADVICE) {
        const bool bus = strncmp(advice, "{bus}", 5) == 0, name = strncmp(advice, "{name}", 6) == 0;
        const char *text = bus ? at->bus : name ? at->name : advice;
        const size_t length = bus || name ? strlen(text ? text : "") : 1 + strcspn(advice + 1, "{");

        (void)snprintf(out + used, JUDGE_ADVICE - used, "%.*s", (int)length, text ? text : "");
        used += strlen(out + used);
        advice += bus ? 5 : name ? 6 : length;
    }
}

void judge_tell(const struct judge_place *at, enum judge_weight weight, const char *advice,
                const char *format, ...)
{
    struct judgement *j = at->j;
    struct finding *grown = realloc(j->findings, (j->count + 1) * sizeof *grown);
    struct finding *f;
    va_list args;

    if (!grown) {
        j->failed = true;
        return;
    }
    j->findings = grown;
    f = &grown[j->count++];
    memset(f, 0, sizeof *f);
    f->weight = weight;
    f->part = at->part;
    f->unit = at->unit;
    f->since_ms = at->since_ms;
    write_advice(at, advice, f->advice);
    /* for people: what is too long is cut */
    (void)text_format(f->name, sizeof f->name, "%s", at->name ? at->name : "");
    (void)text_format(f->bus, sizeof f->bus, "%s", at->bus ? at->bus : "");
    (void)text_format(f->where, sizeof f->where, "%s%s%s%s%s%s", at->part, at->name ? " " : "",
                      at->name ? at->name : "", at->where ? " (" : "", at->where ? at->where : "",
                      at->where ? ")" : "");
    va_start(args, format);
    (void)vsnprintf(f->what, sizeof f->what, format, args);
    va_end(args);
}

const char *judge_advise(const struct judge_advice *list, const char *text, const char *otherwise)
{
    for (; list->advice; list++) {
        if (strcasestr(text, list->words))
            return list->advice;
    }
    return otherwise;
}

/* ---- the store ---- */

static const struct judge_advice store_advice[] = {
    {"full", "The disk is full: make room on it (`df`), or give `store.max_size` less."},
    {"no space", "The disk is full: make room on it (`df`), or give `store.max_size` less."},
    {"readonly",
     "The file system is read-only, which often is a disk that fails: look at `dmesg`, replace the disk."},
    {"read-only",
     "The file system is read-only, which often is a disk that fails: look at `dmesg`, replace the disk."},
    {"i/o", "The disk fails: look at `dmesg`, save the database, replace the disk."},
    {"permission", "The daemon's user may not write there: look at the owner of the folder of `store.path`."},
    {"unable to open", "The folder of `store.path` is not there, or the daemon's user may not write there."},
    {"locked", "Another program holds the database: end it (`fuser` on the file)."},
    {NULL, NULL},
};

static void judge_store(struct judgement *j, const struct json *store)
{
    struct judge_place at = {.j = j, .part = "store", .unit = -1};
    const int64_t lost = field_int(store, "lost") + field_int(store, "unrecorded");
    const int64_t room = field_int(store, "max_size") - field_int(store, "size");
    const struct json *aside = json_get(store, "set_aside");

    if (!store)
        return;
    at.since_ms = field_int(store, "failing_since_ts");
    if (!json_bool(json_get(store, "ok"), false))
        judge_tell(&at, JUDGE_FAULT,
                   judge_advise(store_advice, field_text(store, "detail"),
                                "Look at the disk: `df`, `dmesg`, the rights of the file."),
                   "takes no records: %s; alarms still go out, marked as not stored",
                   field_text(store, "detail"));
    at.since_ms = 0;
    if (lost > 0)
        judge_tell(
            &at, JUDGE_WARNING,
            "Which ones, and why: the events of kind `lost` (SELECT * FROM v_event WHERE kind = 'lost').",
            "%" PRId64 " records were lost since the start", lost);
    if (room > 0 && json_get(store, "max_size") && field_int(store, "free") < FREE_LEAST &&
        field_int(store, "free") < room)
        judge_tell(&at, JUDGE_WARNING,
                   "Make room on the disk, or give `store.max_size` less than the disk has.",
                   "the disk has %" PRId64 " MiB left, and the store may still grow by %" PRId64 " MiB",
                   field_int(store, "free") >> 20, room >> 20);
    if (field_int(store, "last_commit_ms") >= COMMIT_SLOW_MS)
        judge_tell(&at, JUDGE_WARNING,
                   "The disk is slow or worn out, or another program keeps it busy: `iostat -x 1`, `dmesg`.",
                   "the last commit took %.1f s", (double)field_int(store, "last_commit_ms") / 1000);
    if (field_int(aside, "count") > 0)
        judge_tell(
            &at, JUDGE_WARNING,
            "Look at the disk (`dmesg`). Save the file that was set aside, then remove it: nobody else will.",
            "%" PRId64 " damaged databases lie beside it (%" PRId64 " MiB), the last one is %s",
            field_int(aside, "count"), field_int(aside, "bytes") >> 20, field_text(aside, "last"));
}

/* ---- outputs ---- */

static void judge_outputs(struct judgement *j, const struct json *outputs)
{
    for (const struct json *o = json_first(outputs); o; o = json_next(o)) {
        const struct judge_place at = {.j = j,
                                       .part = "output",
                                       .name = field_text(o, "name"),
                                       .unit = -1,
                                       .since_ms = field_int(o, "since_ts"),
                                       .where = json_string(json_get(o, "device"))};

        if (json_bool(json_get(o, "fault"), false))
            judge_tell(
                &at, JUDGE_FAULT,
                "Look at the relay's module: its power, its line, whether somebody switches it by hand; then "
                "`riskgatectl test {name} --by YOU`.",
                "shall be %s and is %s: %s", field_text(o, "wanted"), field_text(o, "state"),
                field_text(o, "detail"));
    }
}

/* ---- the gateway itself ---- */

static void judge_clock(struct judgement *j, const struct json *status)
{
    const struct judge_place at = {
        .j = j, .part = "clock", .unit = -1, .since_ms = field_int(status, "clock_since_ts")};

    if (json_get(status, "clock_synced") && !json_bool(json_get(status, "clock_synced"), false))
        judge_tell(&at, JUDGE_WARNING,
                   "Is a time server reachable? `timedatectl`, `chronyc tracking`; without a network: is the "
                   "battery of "
                   "the clock good?",
                   "not synchronised: what is recorded now is marked so for ever");
}

static void judge_self_tests(struct judgement *j, const struct json *tests)
{
    for (const struct json *t = json_first(tests); t; t = json_next(t)) {
        const struct judge_place at = {.j = j,
                                       .part = "uplink",
                                       .name = field_text(t, "uplink"),
                                       .unit = -1,
                                       .since_ms = field_int(t, "last_ts")};

        if (field_int(t, "last_ts") > 0 && !json_bool(json_get(t, "ok"), false))
            judge_tell(
                &at, JUDGE_FAULT,
                "The test alarm was not confirmed in time: is the uplink connected, does the platform take "
                "alarms? `riskgatectl self-test --uplink {name} --by YOU` sends another one.",
                "its last self test failed");
    }
}

static void judge_gateway(struct judgement *j, const struct json *status)
{
    const struct json *alarms = json_get(status, "alarms");
    const int64_t late = field_int(json_get(status, "loop"), "late_max_ms");
    struct judge_place at = {.j = j, .part = "gateway", .unit = -1};

    if (late >= LOOP_LATE_MS)
        judge_tell(&at, JUDGE_WARNING,
                   "What keeps the machine busy (`top`, `iostat -x 1`)? A machine that is paused or swaps "
                   "does this, too.",
                   "the daemon came %.1f s late to its work since it was last asked", (double)late / 1000);
    at.part = "alarms";
    at.since_ms = field_int(alarms, "flood_since_ts");
    if (json_bool(json_get(alarms, "flood"), false))
        judge_tell(&at, JUDGE_WARNING,
                   "Look for the one cause behind them: `riskgatectl alarms` marks the first of each area.",
                   "a flood: %" PRId64 " were raised in the last 10 minutes", field_int(alarms, "per_10min"));
}

/* ---- all of it ---- */

/* Stable: findings are few. */
static void worst_first(struct judgement *j)
{
    struct finding *sorted = calloc(j->count + 1, sizeof *sorted);
    size_t count = 0;

    if (!sorted)
        return; /* in another order, but all there */
    for (int weight = JUDGE_FAULT; weight <= JUDGE_WARNING; weight++) {
        for (size_t i = 0; i < j->count; i++) {
            if (j->findings[i].weight == (enum judge_weight)weight)
                sorted[count++] = j->findings[i];
        }
    }
    free(j->findings);
    j->findings = sorted;
}

void judge_status(const struct json *status, struct judgement *out)
{
    memset(out, 0, sizeof *out);
    judge_store(out, json_get(status, "store"));
    judge_buses(out, status);
    judge_outputs(out, json_get(status, "outputs"));
    judge_uplinks(out, status);
    judge_self_tests(out, json_get(status, "self_test"));
    judge_clock(out, status);
    judge_gateway(out, status);
    worst_first(out);
}

void judge_free(struct judgement *j)
{
    free(j->findings);
    memset(j, 0, sizeof *j);
}

void judge_write(const struct judgement *j, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < j->count; i++) {
        const struct finding *f = &j->findings[i];

        jsonw_object_begin(w);
        jsonw_key_string(w, "weight", judge_weight_name(f->weight));
        jsonw_key_string(w, "part", f->part);
        jsonw_key_string(w, "name", f->name[0] ? f->name : NULL);
        jsonw_key_string(w, "bus", f->bus[0] ? f->bus : NULL);
        if (f->unit >= 0)
            jsonw_key_int(w, "unit", f->unit);
        else
            jsonw_key_null(w, "unit");
        jsonw_key_positive(w, "since_ts", f->since_ms);
        jsonw_key_string(w, "where", f->where);
        jsonw_key_string(w, "what", f->what);
        jsonw_key_string(w, "try", f->advice);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}
