/* LINK rg_test_past rg_store rg_loop_virtual PkgConfig::SQLITE */
/* A month of 500 points at 10 s, scaled: 50 devices of 10 points each, so many hours of them (first argument, 24), in a real store; then how
 * long the back-test takes over it, and what that comes to for 30 days. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/random.h"
#include "loop/loop.h"
#include "record/record.h"
#include "replay/prime.h"
#include "replay/run.h"
#include "store/store.h"
#include "support_site.h"
#include "support_tmp.h"

#define DEVICES 50
#define POINTS 10
#define POLL_MS 10000
#define WALL INT64_C(1763780000000)
#define MONTH_FRAMES (30.0 * 86400 * 1000 / POLL_MS * DEVICES)

static void need(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "bench_backtest: %s\n", what);
        exit(1);
    }
}

static void build_site(struct support_site *s, const char *rules)
{
    static char text[64 * 1024];
    size_t at = (size_t)snprintf(text, sizeof text, "area plant\n");

    for (int d = 0; d < DEVICES; d++) {
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "device gas-%d poll=10s area=plant offline=30s:yellow\n", d);
        for (int p = 0; p < POINTS; p++)
            at += (size_t)snprintf(text + at, sizeof text - at, "point p%d type=%s\n", p,
                                   p % 2 ? "f64" : "u16");
    }
    (void)snprintf(text + at, sizeof text - at, "%s", rules);
    support_site_build(s, text);
}

/* The schema is the store's own; the rows are written past it, since a month of them through a daemon's commits would take a while. */
static void make_schema(struct loop *loop, const char *path)
{
    const struct site_store conf = {.path = path,
                                    .commit_ms = 1000,
                                    .keep_telemetry_ms = INT64_MAX,
                                    .keep_alarms_ms = INT64_MAX,
                                    .keep_events_ms = INT64_MAX,
                                    .max_size = INT64_MAX};
    const struct store_cbs cbs = {0};
    struct store_start start;
    struct store *store;
    char why[512];

    need(store_open(loop, &conf, &cbs, NULL, &store, &start, why, sizeof why) == RG_OK, why);
    store_start_free(&start);
    need(store_close(store) == RG_OK, "the store does not close");
}

static void run_sql(sqlite3 *db, const char *sql)
{
    need(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;

    need(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    return stmt;
}

static void write_names(sqlite3 *db)
{
    for (int d = 0; d < DEVICES; d++) {
        char sql[128];

        (void)snprintf(sql, sizeof sql, "INSERT INTO device(id, name) VALUES (%d, 'gas-%d')", d, d);
        run_sql(db, sql);
    }
    run_sql(db, "INSERT INTO event(seq, ts, kind, unsynced, body, hash, turn, mono) VALUES (1, "
                "1763780000000, 'start', 0,"
                " '{\"seq\":1,\"ts\":1763780000000,\"kind\":\"start\",\"boot\":1,\"clean\":true,\"hash\":"
                "\"\"}', '', 1, 1000)");
}

static int64_t write_frames(sqlite3 *db, const struct site *site, int64_t polls)
{
    sqlite3_stmt *insert = prepare(db, "INSERT INTO telemetry(seq, ts, device, unsynced, body, turn, mono) "
                                       "VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6)");
    static double values[DEVICES][POINTS];
    struct sample samples[POINTS];
    struct rg_random random;
    struct jsonw w;
    int64_t seq = 0;

    random_seed(&random, 1);
    jsonw_init(&w, 0);
    for (int64_t poll = 0; poll < polls; poll++) {
        for (uint32_t d = 0; d < DEVICES; d++) {
            int64_t mono = 1000 + poll * POLL_MS + d * 7;
            struct frame frame = {.device = d,
                                  .at = {mono, WALL - 1000 + mono},
                                  .heard = true,
                                  .count = POINTS,
                                  .samples = samples};
            const char *body;
            size_t length;
            char text[1024];
            int n;

            for (uint32_t p = 0; p < POINTS; p++) {
                double *v = &values[d][p];

                *v = *v + (double)random_below(&random, 41) / 10 - 2.0 - *v / 100;
                samples[p] =
                    (struct sample){.point = d * POINTS + p, .value = (double)(int64_t)(*v * 10) / 10};
            }
            need(record_frame(&w, site, &frame, &body, &length) == RG_OK, "a frame cannot be written");
            n = snprintf(text, sizeof text, "{\"seq\":%lld,%.*s}", (long long)++seq, (int)length, body);
            (void)sqlite3_bind_int64(insert, 1, seq);
            (void)sqlite3_bind_int64(insert, 2, frame.at.wall_ms);
            (void)sqlite3_bind_int64(insert, 3, d);
            (void)sqlite3_bind_text(insert, 4, text, n, SQLITE_STATIC);
            (void)sqlite3_bind_int64(insert, 5, seq + 1);
            (void)sqlite3_bind_int64(insert, 6, mono);
            need(sqlite3_step(insert) == SQLITE_DONE, sqlite3_errmsg(db));
            (void)sqlite3_reset(insert);
        }
    }
    (void)sqlite3_finalize(insert);
    jsonw_free(&w);
    return seq;
}

static int64_t make_store(struct loop *loop, const char *path, const struct site *site, int64_t polls)
{
    sqlite3 *db;
    int64_t frames;

    make_schema(loop, path);
    need(sqlite3_open(path, &db) == SQLITE_OK, "the store does not open");
    run_sql(db, "PRAGMA synchronous = OFF; BEGIN");
    write_names(db);
    frames = write_frames(db, site, polls);
    run_sql(db, "COMMIT");
    (void)sqlite3_close(db);
    return frames;
}

static void count_cb(void *arg, const struct alarm_change *change, bool unsynced)
{
    uint64_t *count = arg;

    (void)change;
    (void)unsynced;
    (*count)++;
}

static void ignore_cb(void *arg, const struct alarm_change *change)
{
    count_cb(arg, change, false);
}

static void measure(const char *what, const char *path, const char *rules, size_t sites)
{
    const struct replay_past past = replay_past_store(path);
    const struct replay_wish wish = {0};
    struct support_site s;
    struct replay_part parts[2];
    uint64_t changes[2] = {0, 0}, frames;
    char why[REPLAY_WHY];
    int64_t begin;
    clock_t cpu;
    double seconds, busy;

    build_site(&s, rules);
    for (size_t i = 0; i < sites; i++)
        parts[i] = (struct replay_part){.site = &s.site, .cbs = {.change = count_cb}, .arg = &changes[i]};
    begin = clock_mono_us();
    cpu = clock();
    need(replay_run(&past, &wish, parts, sites, why) == RG_OK, why);
    seconds = (double)(clock_mono_us() - begin) / 1e6;
    busy = (double)(clock() - cpu) /
           CLOCKS_PER_SEC; /* of all threads: what counts when others use the machine too */
    frames = replay_player_figures(parts[0].player)->frames;
    printf("%-40s %6.2f s, %5.2f us a frame; a month: %5.1f s, of CPU %5.1f s; %" PRIu64 " transitions\n",
           what, seconds, seconds * 1e6 / (double)frames, seconds / (double)frames * MONTH_FRAMES,
           busy / (double)frames * MONTH_FRAMES, changes[0]);
    for (size_t i = 0; i < sites; i++)
        replay_player_destroy(parts[i].player);
    support_site_free(&s);
}

/* The daemon's start: every point has a window of eight hours. */
static void measure_start(const char *path, int64_t frames)
{
    const struct replay_past past = replay_past_store(path);
    const int64_t end = frames / DEVICES * POLL_MS;
    const struct moment start = {.mono_ms = 5000, .wall_ms = WALL + end};
    struct support_site s;
    struct replay_primed primed;
    struct rules *rules;
    uint64_t changes = 0;
    char why[REPLAY_WHY];
    int64_t begin;

    build_site(&s, "rule twa points=* twa=8h above=yellow:1000\n");
    need(rules_create(&s.site, 1, ignore_cb, &changes, &rules) == RG_OK, "no rules");
    begin = clock_mono_us();
    need(replay_prime(rules, &s.site, &past, start, INT64_MAX, &primed, why) == RG_OK, why);
    printf("%-40s %6.2f s for %" PRIu64 " frames\n", "a start with windows of 8 h on each point",
           (double)(clock_mono_us() - begin) / 1e6, primed.frames);
    rules_destroy(rules);
    support_site_free(&s);
}

int main(int argc, char **argv)
{
    static const char levels[] =
        "rule high points=* above=blue:30,yellow:35,orange:40,red:50 deadband=1 on=30s off=60s\n";
    static const char two[] =
        "rule high points=* above=blue:30,yellow:35,orange:40,red:50 deadband=1 on=30s off=60s\n"
        "rule low points=*.p1,*.p2,*.p3 below=yellow:-40 off=60s\n"
        "rule avg points=*.p4,*.p5,*.p6,*.p7 mean=15m above=blue:20,yellow:25\n";
    int64_t hours = argc > 1 ? strtoll(argv[1], NULL, 10) : 24;
    char folder[SUPPORT_TMP_SIZE], path[SUPPORT_TMP_SIZE + 32];
    struct loop *loop = NULL;
    struct support_site s;
    struct stat file;
    int64_t frames;

    need(loop_create(&loop) == RG_OK && support_tmp_dir(folder), "no folder");
    (void)snprintf(path, sizeof path, "%s/riskgate.db", folder);
    build_site(&s, levels);
    frames = make_store(loop, path, &s.site, hours * 3600 * 1000 / POLL_MS);
    need(stat(path, &file) == 0, "the store is gone");
    printf("%" PRId64 " frames, %" PRId64 " readings, %.0f MiB\n", frames, frames * POINTS,
           (double)file.st_size / (1 << 20));
    support_site_free(&s);
    measure("one rule of four levels on each point", path, levels, 1);
    measure("and two more, one of them a mean", path, two, 1);
    measure("two configurations at once", path, levels, 2);
    measure_start(path, frames);
    need(loop_destroy(loop) == RG_OK && support_tmp_remove(folder), "something stayed behind");
    return 0;
}
