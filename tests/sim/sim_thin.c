/* LINK rg_sim rg_replay rg_daemon rg_loop_virtual PkgConfig::SQLITE */
/* The same day of faults and excursions twice, with every poll recorded and with readings thinned: the alarms are the same byte for byte,
 * every frame around an alarm of its device is there, the minute roll-ups are those of all frames, and a replay of the thinned
 * past finds no silence that was none. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "replay/run.h"
#include "world.h"

#define DEVICES 4

static const struct world_plan plan = {
    .devices = DEVICES,
    .points = 4,
    .buses = 2,
    .uplinks = 1,
    .poll_ms = 30 * WORLD_SECOND,
    .commit_ms = 20 * WORLD_SECOND,
    .offline_ms = 120 * WORLD_SECOND,
    .backfill_rate = 1000,
    .red = 40,
    .derived = true,
    .duration_ms = WORLD_DAY + WORLD_HOUR,
};

static void plan_windows(struct world *w, struct world_windows *list, int64_t gap_ms, int64_t length_ms,
                         const double *values, size_t count)
{
    int64_t at = VIRTUAL_MONO_MS;

    for (;;) {
        struct world_window window = {.from_ms = at + world_between(w, gap_ms / 4, 2 * gap_ms)};

        window.to_ms = window.from_ms + world_between(w, 1, length_ms);
        if (window.to_ms > VIRTUAL_MONO_MS + WORLD_DAY - WORLD_HOUR)
            return;
        if (values)
            window.value = values[random_below(&w->random, count)];
        else
            window.fault =
                (enum world_fault)(WORLD_SENSOR + random_below(&w->random, WORLD_BROKEN - WORLD_SENSOR + 1));
        world_window_add(w, list, window);
        at = window.to_ms;
    }
}

static void plan_day(struct world *w)
{
    static const double high[] = {9.5, 10, 15, 19.5, 22, 31, 45}, now[] = {49, 50, 70},
                        low[] = {5, 5.3, 2, 6};

    for (unsigned i = 0; i < DEVICES; i++) {
        plan_windows(w, &w->devices[i].faults, 4 * WORLD_HOUR, 5 * WORLD_MINUTE, NULL, 0);
        plan_windows(w, &w->devices[i].excursions[0], 3 * WORLD_HOUR, 8 * WORLD_MINUTE, high, RG_COUNT(high));
        plan_windows(w, &w->devices[i].excursions[1], 6 * WORLD_HOUR, 6 * WORLD_MINUTE, now, RG_COUNT(now));
        plan_windows(w, &w->devices[i].excursions[2], 5 * WORLD_HOUR, 5 * WORLD_MINUTE, low, RG_COUNT(low));
    }
}

/* At these instants of the day, whatever took how long before. */
static void run_until(struct world *w, int64_t at_ms)
{
    world_run_for(w, VIRTUAL_MONO_MS + at_ms - world_now(w));
}

static void copy(const struct world *w, const char *to)
{
    char command[SUPPORT_TMP_SIZE * 2 + 128];

    (void)snprintf(command, sizeof command, "cp '%s' '%s' && cp '%s' '%s.yaml'", w->store_file, to,
                   w->config_file, to);
    WORLD_CHECK(w, system(command) == 0, "the store cannot be copied");
}

static void day(uint64_t seed, const char *record, const char *to)
{
    static struct world w;
    struct world_plan p = plan;
    unsigned thinned = 0;

    p.record = record;
    world_create(&w, seed, &p);
    plan_day(&w);
    world_start(&w);
    run_until(&w, 7 * WORLD_HOUR);
    w.plan.red = 41; /* a reload that changes no device: what is held back goes on */
    world_reload(&w);
    run_until(&w, 13 * WORLD_HOUR);
    for (uint32_t i = 0; i < DEVICES; i++) {
        struct thin_stats stats;

        thin_stats(app_pipeline(w.app)->recording.thin, i, &stats);
        thinned += stats.thinned > 0;
        WORLD_CHECK(&w, stats.cut == 0, "%llu frames had no room to be held back",
                    (unsigned long long)stats.cut);
    }
    WORLD_CHECK(&w, thinned == (record ? DEVICES : 0), "%u devices are thinned", thinned);
    world_stop(&w);
    run_until(&w, 13 * WORLD_HOUR + 10 * WORLD_MINUTE);
    world_start(&w);
    run_until(&w, WORLD_DAY);
    world_settle(&w, WORLD_HOUR);
    world_check_platforms(&w);
    world_check_active(&w);
    world_stop(&w);
    copy(&w, to);
    world_destroy(&w);
}

/* ---- held against each other ---- */

struct stores {
    uint64_t seed;
    sqlite3 *db; /* main: thinned; f: full */
};

static int64_t number(const struct stores *s, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t n = -1;

    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW) {
        (void)fprintf(stderr, "seed %llu: %s: %s\n", (unsigned long long)s->seed, sql, sqlite3_errmsg(s->db));
        exit(1);
    }
    n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

static void check(const struct stores *s, bool good, const char *what, int64_t n)
{
    if (good)
        return;
    (void)fprintf(stderr, "seed %llu: %s: %lld\n", (unsigned long long)s->seed, what, (long long)n);
    exit(1);
}

static void none(const struct stores *s, const char *what, const char *sql)
{
    int64_t n = number(s, sql);

    check(s, n == 0, what, n);
}

/* A window: from before the raise, but not before the start of its run, to behind the clear, but not behind its run's end. */
#define AROUND                                                                                               \
    "(SELECT CASE WHEN instr(a.point, '.') THEN substr(a.point, 1, instr(a.point, '.') - 1) ELSE a.point "   \
    "END AS device,"                                                                                         \
    " max(a.raised_ts - 180000, (SELECT coalesce(max(ts), 0) FROM event e WHERE e.kind = 'start' AND e.ts "  \
    "<= a.raised_ts)) AS since,"                                                                             \
    " min(coalesce(a.cleared_ts, 1e18) + 180000, coalesce((SELECT min(ts) FROM event e WHERE e.kind = "      \
    "'stop' AND e.ts >= a.cleared_ts), 1e18)) AS upto"                                                       \
    " FROM v_alarm a)"

static void compare(const struct stores *s)
{
    int64_t alarms = number(s, "SELECT count(*) FROM alarm"),
            all = number(s, "SELECT count(*) FROM f.telemetry");
    int64_t kept = number(s, "SELECT count(*) FROM telemetry"),
            held = number(s, "SELECT count(*) FROM telemetry WHERE held");
    int64_t rollups = number(s, "SELECT count(*) FROM v_rollup");

    none(s, "alarm records only with thinning",
         "SELECT count(*) FROM (SELECT body FROM alarm EXCEPT SELECT body FROM f.alarm)");
    none(s, "alarm records only without",
         "SELECT count(*) FROM (SELECT body FROM f.alarm EXCEPT SELECT body FROM alarm)");
    none(s, "frames around an alarm are missing",
         "SELECT count(*) FROM " AROUND " w JOIN f.device d ON d.name = w.device"
         " JOIN f.telemetry t ON t.device = d.id AND t.ts BETWEEN w.since AND w.upto"
         " WHERE NOT EXISTS (SELECT 1 FROM telemetry n JOIN device e ON e.id = n.device WHERE e.name = "
         "w.device AND n.ts = t.ts)");
    none(s, "frames are recorded that never were",
         "SELECT count(*) FROM telemetry n JOIN device e ON e.id = n.device WHERE NOT EXISTS"
         " (SELECT 1 FROM f.telemetry t JOIN f.device d ON d.id = t.device WHERE d.name = e.name AND t.ts = "
         "n.ts"
         " AND substr(t.body, instr(t.body, ',')) = substr(n.body, instr(n.body, ',')))");
    (void)number(s, "SELECT count(*) FROM sqlite_temp_schema");
    none(s, "roll-ups differ from all frames",
         "WITH naive AS (SELECT device || '.' || point AS point, ts - ts % 60000 AS minute, count(value) AS "
         "n, min(value) AS low,"
         " max(value) AS high, avg(value) AS mean, count(*) FILTER (WHERE quality <> 'good') AS bad FROM "
         "f.v_reading GROUP BY 1, 2)"
         " SELECT (SELECT count(*) FROM naive) - (SELECT count(*) FROM v_rollup) + count(*) FROM naive a "
         "LEFT JOIN v_rollup r"
         " ON r.point = a.point AND r.minute = a.minute WHERE r.n IS NOT a.n OR r.bad IS NOT a.bad OR r.min "
         "IS NOT a.low"
         " OR r.max IS NOT a.high OR abs(coalesce(r.mean, 0) - coalesce(a.mean, 0)) > 1e-9 OR (r.mean IS "
         "NULL) <> (a.mean IS NULL)");
    none(s, "a turn is there twice", "SELECT count(*) - count(DISTINCT turn) FROM telemetry");
    check(s, alarms > 60, "alarm records", alarms);
    check(s, held > 100, "frames that were held back", held);
    check(s, kept * 2 < all, "frames recorded", kept);
    (void)printf(
        "  %lld alarm records, %lld of %lld frames recorded, of them %lld held back first, %lld roll-ups\n",
        (long long)alarms, (long long)kept, (long long)all, (long long)held, (long long)rollups);
}

/* ---- the thinned past again ---- */

struct again {
    unsigned silences, thinned, gaps;
};

static void change_cb(void *arg, const struct alarm_change *change, bool unsynced)
{
    struct again *a = arg;

    (void)unsynced;
    a->silences += change->event == ALARM_RAISE && strcmp(change->alarm->rule, RULE_OFFLINE) == 0;
}

static void told_gap_cb(void *arg, const struct gap *gap)
{
    struct again *a = arg;

    a->thinned += gap->every_ms > 0;
    a->gaps += gap->every_ms == 0 && !gap->silent;
}

static void replay(const struct stores *s, const char *file)
{
    const struct replay_past past = replay_past_store(file);
    const struct replay_wish wish = {0};
    struct again again = {0};
    struct config *config = NULL;
    struct replay_part part = {.cbs = {.change = change_cb, .gap = told_gap_cb}, .arg = &again};
    char yaml[SUPPORT_TMP_SIZE + 64], why[REPLAY_WHY];

    (void)snprintf(yaml, sizeof yaml, "%s.yaml", file);
    check(s, config_load(yaml, &config) == RG_OK && config->site, "the configuration", 0);
    part.site = config->site;
    check(s, replay_run(&past, &wish, &part, 1, why) == RG_OK, why, 0);
    check(s, again.thinned >= 2 * DEVICES, "stretches that were thinned", again.thinned);
    check(s, again.silences == (unsigned)number(s, "SELECT count(*) FROM v_alarm WHERE rule = 'offline'"),
          "silences in a replay of what was recorded thinned", again.silences);
    replay_player_destroy(part.player);
    config_free(config);
}

static void run(uint64_t seed)
{
    struct stores s = {.seed = seed};
    char folder[SUPPORT_TMP_SIZE], thin[SUPPORT_TMP_SIZE + 16], full[SUPPORT_TMP_SIZE + 16],
        sql[SUPPORT_TMP_SIZE + 64];

    if (!support_tmp_dir(folder))
        abort();
    (void)snprintf(thin, sizeof thin, "%s/thin.db", folder);
    (void)snprintf(full, sizeof full, "%s/full.db", folder);
    day(seed, NULL, full);
    day(seed, "{every: 4m, around_alarms: 3m}", thin);
    (void)snprintf(sql, sizeof sql, "ATTACH '%s' AS f", full);
    check(&s,
          sqlite3_open(thin, &s.db) == SQLITE_OK && sqlite3_exec(s.db, sql, NULL, NULL, NULL) == SQLITE_OK,
          "open", 0);
    compare(&s);
    replay(&s, thin);
    check(&s, sqlite3_close(s.db) == SQLITE_OK && support_tmp_remove(folder), "close", 0);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
