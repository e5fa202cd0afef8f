/* LINK rg_sim rg_daemon rg_loop_virtual PkgConfig::SQLITE */
/* Points that are worked out from points, while devices and buses fail, the gateway is restarted and gets other configurations: the
 * store is read again from its beginning, and every derived record in it, and every alarm on one, is worked out anew from
 * the records of the devices before it. */
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "world.h"

#define DEVICES 4
#define POINTS 4
#define LIVES 64
#define LIMIT 4 /* of the rule `loss` */
#define LENGTH (2 * WORLD_HOUR)
#define QUIET (10 * WORLD_MINUTE)

static const struct world_plan plan = {
    .devices = DEVICES,
    .points = POINTS,
    .buses = 2,
    .uplinks = 2,
    .poll_ms = 5000,
    .commit_ms = 2000, /* shorter than a period, so that there are times when nothing waits */
    .offline_ms = 20000,
    .backfill_rate = 1000,
    .red = 40,
    .derived = true,
    .duration_ms = LENGTH + QUIET,
};

enum calc { LOSS, MEAN, WORST, RAIN };
#define CALCS 4
static const char *const calc_names[CALCS] = {"loss", "mean", "worst", "rain"};

struct reading {
    enum quality quality;
    double value;
};

struct judge {
    const struct world *w;
    int64_t heads[LIVES]; /* the last record before each life */
    unsigned lives, life;
    struct reading read[DEVICES][POINTS], calc[CALCS];
    bool counted, due[CALCS], any_due;
    double counter, rained;
    int64_t due_ts;
    bool active;
    sqlite3_stmt *alarms;
    size_t derived, bad, changes;
};

/* ---- by the definitions ---- */

static struct reading combine(const struct reading *operands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (operands[i].quality != QUALITY_GOOD)
            return (struct reading){.quality = operands[i].quality};
    }
    return (struct reading){.quality = QUALITY_GOOD};
}

static void work_out(struct judge *j, enum calc calc)
{
    struct reading half = j->read[2][0], r;

    half.value = half.value * 0.5 + 1;
    if (calc == LOSS) {
        r = combine((struct reading[]){j->read[0][0], j->read[1][0]}, 2);
        r.value = j->read[0][0].value - j->read[1][0].value;
    } else if (calc == MEAN) {
        r = combine((struct reading[]){j->read[0][0], j->read[1][0], j->read[2][0]}, 3);
        r.value = (j->read[0][0].value + j->read[1][0].value + j->read[2][0].value) / 3;
    } else if (calc == WORST) {
        r = combine((struct reading[]){j->calc[LOSS], half}, 2);
        r.value = fmax(j->calc[LOSS].value, half.value);
        if (r.quality == QUALITY_GOOD && (r.value < 0 || r.value > 60))
            r.quality = QUALITY_RANGE;
    } else {
        double now = j->read[3][3].value, before = j->counter;

        r = combine(&j->read[3][3], 1);
        if (r.quality == QUALITY_GOOD) {
            r.value = 2 * (now < before ? now + 53 - before : now - before);
            if (!j->counted)
                r.quality = QUALITY_STALE;
            else
                j->rained += r.value;
            j->counted = true;
            j->counter = now;
        }
    }
    j->calc[calc] = r;
    j->due[calc] = j->any_due = true;
}

/* ---- what the store says ---- */

static struct reading reading_of(const struct judge *j, const struct json *record, const char *name)
{
    const struct json *value = json_get(json_get(record, "values"), name);
    const char *word = json_string(json_get(json_get(record, "bad"), name));

    if (value)
        return (struct reading){.quality = QUALITY_GOOD, .value = json_double(value, (double)NAN)};
    for (int q = QUALITY_GOOD; word && q < QUALITY_COUNT; q++) {
        if (strcmp(word, quality_name((enum quality)q)) == 0)
            return (struct reading){.quality = (enum quality)q};
    }
    world_fail(j->w, "a record without %s", name);
}

static void take_device(struct judge *j, const struct json *record, unsigned device)
{
    WORLD_CHECK(j->w, !j->any_due, "nothing was worked out from the record before %lld",
                (long long)json_int(json_get(record, "ts"), 0));
    for (unsigned p = 0; p < POINTS; p++) {
        char name[8];

        (void)snprintf(name, sizeof name, "p%u", p);
        j->read[device][p] = reading_of(j, record, name);
    }
    if (device == 3)
        work_out(j, RAIN);
    if (device < 2)
        work_out(j, LOSS);
    if (device < 3) {
        work_out(j, MEAN);
        work_out(j, WORST);
    }
    j->due_ts = json_int(json_get(record, "ts"), 0);
}

/* The alarm on a derived point follows its good values and nothing else. */
static void take_level(struct judge *j)
{
    struct reading r = j->calc[LOSS];
    const char *wanted = j->active ? "clear" : "raise";

    if (r.quality != QUALITY_GOOD || (r.value >= LIMIT) == j->active)
        return;
    j->active = !j->active;
    j->changes++;
    WORLD_CHECK(j->w, sqlite3_step(j->alarms) == SQLITE_ROW, "there is no %s at %lld", wanted,
                (long long)j->due_ts);
    WORLD_CHECK(j->w,
                sqlite3_column_int64(j->alarms, 0) == j->due_ts &&
                    strcmp((const char *)sqlite3_column_text(j->alarms, 1), wanted) == 0,
                "a %s at %lld, not %s at %lld", (const char *)sqlite3_column_text(j->alarms, 1),
                (long long)sqlite3_column_int64(j->alarms, 0), wanted, (long long)j->due_ts);
}

static void take_calc(struct judge *j, const struct json *record)
{
    size_t wanted = 0, found = json_size(json_get(record, "values")) + json_size(json_get(record, "bad"));

    WORLD_CHECK(j->w, j->any_due && json_int(json_get(record, "ts"), 0) == j->due_ts,
                "a derived record at %lld that nothing led to",
                (long long)json_int(json_get(record, "ts"), 0));
    for (unsigned c = 0; c < CALCS; c++) {
        struct reading r;

        if (!j->due[c])
            continue;
        wanted++;
        r = reading_of(j, record, calc_names[c]);
        j->bad += r.quality != QUALITY_GOOD;
        if (r.quality != j->calc[c].quality ||
            (r.quality == QUALITY_GOOD && fabs(r.value - j->calc[c].value) > 1e-9))
            world_fail(j->w, "%s at %lld is %s %.17g, not %s %.17g", calc_names[c], (long long)j->due_ts,
                       quality_name(r.quality), r.value, quality_name(j->calc[c].quality), j->calc[c].value);
    }
    WORLD_CHECK(j->w, found == wanted, "%zu derived points at %lld, not %zu", found, (long long)j->due_ts,
                wanted);
    if (j->due[LOSS])
        take_level(j);
    memset(j->due, 0, sizeof j->due);
    j->any_due = false;
    j->derived++;
}

/* Nothing is known at a start. */
static void begin_life(struct judge *j)
{
    WORLD_CHECK(j->w, !j->any_due, "nothing was worked out from the last record of a life");
    for (unsigned d = 0; d < DEVICES; d++) {
        for (unsigned p = 0; p < POINTS; p++)
            j->read[d][p] = (struct reading){.quality = QUALITY_STALE};
    }
    for (unsigned c = 0; c < CALCS; c++)
        j->calc[c] = (struct reading){.quality = QUALITY_STALE};
    j->counted = false;
    j->life++;
}

static void take_record(struct judge *j, int64_t seq, const char *body, size_t length)
{
    struct json *record = NULL;
    const char *device;
    char text[4096];
    unsigned number;

    while (j->life < j->lives && seq > j->heads[j->life])
        begin_life(j);
    WORLD_CHECK(j->w, length + 3 < sizeof text, "a record of %zu bytes", length);
    (void)snprintf(text, sizeof text, body[0] == '{' ? "%.*s" : "{%.*s}", (int)length, body);
    WORLD_CHECK(j->w, json_parse(text, strlen(text), sizeof text, &record) == RG_OK,
                "record %lld is no JSON: %s", (long long)seq, text);
    device = json_string(json_get(record, "device"));
    if (strcmp(device, "calc") == 0)
        take_calc(j, record);
    else if (sscanf(device, "d%u", &number) == 1 && number < DEVICES)
        take_device(j, record, number);
    else
        world_fail(j->w, "a record of %s", device);
    json_free(record);
}

static void judge_store(struct judge *j)
{
    sqlite3_stmt *records = NULL;
    sqlite3 *db = NULL;

    WORLD_CHECK(j->w,
                sqlite3_open_v2(j->w->store_file, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                    sqlite3_prepare_v2(db, "SELECT seq, body FROM telemetry ORDER BY seq", -1, &records,
                                       NULL) == SQLITE_OK &&
                    sqlite3_prepare_v2(db,
                                       "SELECT ts, event FROM v_alarm_event JOIN v_alarm USING (alarm)"
                                       " WHERE rule = 'loss' ORDER BY seq",
                                       -1, &j->alarms, NULL) == SQLITE_OK,
                "cannot read the store: %s", sqlite3_errmsg(db));
    while (sqlite3_step(records) == SQLITE_ROW)
        take_record(j, sqlite3_column_int64(records, 0), (const char *)sqlite3_column_text(records, 1),
                    (size_t)sqlite3_column_bytes(records, 1));
    WORLD_CHECK(j->w, sqlite3_step(j->alarms) == SQLITE_DONE, "an alarm that no derived value led to");
    (void)sqlite3_finalize(records);
    (void)sqlite3_finalize(j->alarms);
    (void)sqlite3_close(db);
}

/* ---- the day ---- */

static void plan_windows(struct world *w, struct world_windows *list, int64_t gap_ms, int64_t length_ms,
                         bool fault)
{
    static const enum world_fault faults[] = {WORLD_SENSOR, WORLD_EXCEPTION, WORLD_MALFORMED, WORLD_SILENT,
                                              WORLD_BROKEN};
    static const double values[] = {5.5, 8, 9, 9.5, 40, 130};

    for (int64_t at = VIRTUAL_MONO_MS;;) {
        struct world_window window = {.from_ms = at + world_between(w, gap_ms / 4, 2 * gap_ms)};

        window.to_ms = at = window.from_ms + world_between(w, WORLD_SECOND, length_ms);
        window.fault = faults[random_below(&w->random, RG_COUNT(faults))];
        window.value = values[random_below(&w->random, RG_COUNT(values))];
        if (!fault)
            window.fault = WORLD_FINE;
        if (window.to_ms > VIRTUAL_MONO_MS + LENGTH)
            return;
        world_window_add(w, list, window);
    }
}

static void start(struct judge *j, struct world *w)
{
    struct store_stats stats;

    world_start(w);
    store_stats(app_pipeline(w->app)->store, &stats);
    WORLD_CHECK(w, j->lives < LIVES, "too many starts");
    j->heads[j->lives++] = stats.head[STREAM_TELEMETRY];
}

static void run(uint64_t seed)
{
    static struct world w;
    struct judge j = {.w = &w};
    unsigned reloads = 0;

    world_create(&w, seed, &plan);
    for (unsigned i = 0; i < DEVICES; i++) {
        plan_windows(&w, &w.devices[i].faults, 10 * WORLD_MINUTE, 2 * WORLD_MINUTE, true);
        plan_windows(&w, &w.devices[i].excursions[0], 4 * WORLD_MINUTE, 4 * WORLD_MINUTE, false);
    }
    plan_windows(&w, &w.bus_faults[0], WORLD_HOUR, 3 * WORLD_MINUTE, true);
    start(&j, &w);
    while (world_now(&w) < VIRTUAL_MONO_MS + LENGTH) {
        world_run_for(&w, world_between(&w, WORLD_SECOND, 12 * WORLD_MINUTE));
        if (random_below(&w.random, 3) == 0) {
            world_stop(&w);
            world_run_for(&w, world_between(&w, 0, WORLD_MINUTE));
            start(&j, &w);
        } else {
            w.plan.red = 39 + (double)random_below(&w.random, 4);
            world_reload(&w);
            reloads++;
        }
    }
    world_run_for(&w, QUIET / 2);
    world_settle(&w, QUIET / 2);
    world_check_active(&w);
    world_check_platforms(&w);
    world_stop(&w);
    judge_store(&j);
    (void)printf("  %u starts, %u reloads; %zu derived records, %zu bad readings in them, %zu changes of the "
                 "alarm, %g rained\n",
                 j.lives, reloads, j.derived, j.bad, j.changes, j.rained);
    WORLD_CHECK(&w,
                j.life == j.lives && j.derived > 1000 && j.bad > 100 && j.changes > 4 && reloads > 2 &&
                    j.rained > 50,
                "too little happened to show anything");
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
