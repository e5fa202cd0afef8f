/* A store in a folder of its own on the virtual loop, with everything it tells written down. Shared by
 * test_store_*.c. */
#ifndef RG_TESTS_STORE_HELP_H
#define RG_TESTS_STORE_HELP_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support_tmp.h"
#include "virtual_loop.h"

#define RIG_DAY INT64_C(86400000)

struct rig_lost {
    enum stream stream;
    int64_t first, last;
    uint64_t count;
    char cause[16];
};

struct rig {
    char folder[SUPPORT_TMP_SIZE];
    char path[SUPPORT_TMP_SIZE + 32];
    struct site_store conf;
    struct loop *loop;
    struct store *store;
    struct store_start start;
    char why[512];
    int64_t head[STREAM_COUNT];
    unsigned commits;
    unsigned unstored;
    char last_unstored[256];
    unsigned health_false, health_true;
    char health[768];
    size_t lost_count;
    struct rig_lost lost[64];
    bool append_lost; /* make a record of each loss, as the daemon does */
    unsigned lost_refused;
    unsigned asides;
    char aside[320], aside_why[512];
};

static inline void rig_committed(void *arg, const int64_t head[STREAM_COUNT],
                                 const bool changed[STREAM_COUNT])
{
    struct rig *r = arg;
    for (int i = 0; i < STREAM_COUNT; i++) {
        assert_true(head[i] >= r->head[i]);
        assert_int_equal(changed[i], head[i] != r->head[i]);
        r->head[i] = head[i];
    }
    r->commits++;
}

static inline void rig_unstored(void *arg, const struct store_failed_record *record)
{
    struct rig *r = arg;
    assert_int_equal(record->stream, STREAM_ALARM);
    (void)snprintf(r->last_unstored, sizeof(r->last_unstored), "%.*s", (int)record->length, record->body);
    r->unstored++;
}

static inline void rig_health(void *arg, bool ok, const char *detail)
{
    struct rig *r = arg;
    (void)snprintf(r->health, sizeof(r->health), "%s", detail);
    if (ok)
        r->health_true++;
    else
        r->health_false++;
}

static inline void rig_lost(void *arg, enum stream stream, int64_t first, int64_t last, uint64_t count,
                            const char *cause)
{
    struct rig *r = arg;
    assert_true(r->lost_count < 64);
    struct rig_lost *l = &r->lost[r->lost_count++];
    *l = (struct rig_lost){.stream = stream, .first = first, .last = last, .count = count};
    (void)snprintf(l->cause, sizeof(l->cause), "%s", cause);
    if (!r->append_lost)
        return;
    char body[256];
    int n = snprintf(body, sizeof(body), "\"ts\":1,\"kind\":\"lost\",\"stream\":\"%s\",\"count\":%" PRIu64,
                     stream_name(stream), count);
    struct store_record record = {.stream = STREAM_EVENT,
                                  .ts = 1,
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = SITE_NONE,
                                  .kind = "lost"};
    if (store_append(r->store, &record) != RG_OK)
        r->lost_refused++;
}

static inline void rig_aside(void *arg, const char *file, const char *why)
{
    struct rig *r = arg;
    (void)snprintf(r->aside, sizeof(r->aside), "%s", file);
    (void)snprintf(r->aside_why, sizeof(r->aside_why), "%s", why);
    r->asides++;
}

static inline struct store_cbs rig_cbs(void)
{
    return (struct store_cbs){rig_committed, rig_unstored, rig_health, rig_lost, rig_aside};
}

/* A folder, a configuration and a loop, no store yet. */
static inline void rig_init(struct rig *r)
{
    *r = (struct rig){0};
    assert_true(support_tmp_dir(r->folder));
    (void)snprintf(r->path, sizeof(r->path), "%s/riskgate.db", r->folder);
    r->conf = (struct site_store){
        .path = r->path,
        .commit_ms = 1000,
        .keep_telemetry_ms = 30 * RIG_DAY,
        .keep_alarms_ms = 1000 * RIG_DAY,
        .keep_events_ms = 1000 * RIG_DAY,
        .max_size = INT64_C(4) << 30,
    };
    assert_int_equal(loop_create(&r->loop), RG_OK);
}

static inline enum rg_err rig_try_open(struct rig *r)
{
    struct store_cbs cbs = rig_cbs();
    return store_open(r->loop, &r->conf, &cbs, r, &r->store, &r->start, r->why, sizeof(r->why));
}

static inline void rig_open(struct rig *r)
{
    enum rg_err err = rig_try_open(r);
    if (err != RG_OK)
        fail_msg("store_open: %s: %s", rg_err_name(err), r->why);
    memcpy(r->head, r->start.head, sizeof(r->head));
}

static inline void rig_close(struct rig *r)
{
    store_start_free(&r->start);
    assert_int_equal(store_close(r->store), RG_OK);
    r->store = NULL;
}

static inline void rig_end(struct rig *r)
{
    if (r->store != NULL)
        rig_close(r);
    assert_int_equal(loop_destroy(r->loop), RG_OK);
    assert_true(support_tmp_remove(r->folder));
}

static inline void rig_run(struct rig *r, int64_t ms)
{
    assert_true(virtual_loop_run_for(r->loop, ms));
}

static inline enum rg_err rig_telemetry(struct rig *r, uint32_t device, int64_t ts, const char *values)
{
    char body[4096], name[32];
    (void)snprintf(name, sizeof(name), "gas-%u", device);
    int n = snprintf(body, sizeof(body), "\"ts\":%" PRId64 ",\"device\":\"%s\",%s", ts, name, values);
    struct store_record record = {.stream = STREAM_TELEMETRY,
                                  .ts = ts,
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = device,
                                  .device_name = name};
    return store_append(r->store, &record);
}

static inline void rig_frame(struct rig *r, uint32_t device)
{
    assert_int_equal(rig_telemetry(r, device, loop_wall_ms(r->loop), "\"values\":{\"lel\":12.3}"), RG_OK);
}

static inline enum rg_err rig_alarm_record(struct rig *r, unsigned number, const char *event,
                                           enum level level, enum level was)
{
    char body[1024];
    struct alarm alarm = {.level = level, .raised_ms = 5, .cleared_ms = level == LEVEL_NONE ? 9 : 0};
    (void)snprintf(alarm.id, sizeof(alarm.id), "gw-01-%u", number);
    (void)snprintf(alarm.rule, sizeof(alarm.rule), "lel-high");
    (void)snprintf(alarm.point, sizeof(alarm.point), "gas-1.lel");
    (void)snprintf(alarm.area, sizeof(alarm.area), "polishing");
    int n = snprintf(body, sizeof(body),
                     "\"ts\":%" PRId64 ",\"alarm\":\"%s\",\"event\":\"%s\",\"level\":\"%s\",\"was\":\"%s\","
                     "\"value\":22.1,\"limit\":20,\"by\":null,\"comment\":null",
                     loop_wall_ms(r->loop), alarm.id, event, level_name(level), level_name(was));
    struct store_record record = {.stream = STREAM_ALARM,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = SITE_NONE,
                                  .unsynced = !loop_clock_synced(r->loop),
                                  .level = level,
                                  .was = was,
                                  .alarm = &alarm,
                                  .next_alarm = number + 1};
    return store_append(r->store, &record);
}

static inline void rig_alarm(struct rig *r, unsigned number)
{
    assert_int_equal(rig_alarm_record(r, number, "raise", LEVEL_YELLOW, LEVEL_NONE), RG_OK);
}

static inline enum rg_err rig_event(struct rig *r, const char *kind)
{
    char body[256];
    int n = snprintf(body, sizeof(body), "\"ts\":%" PRId64 ",\"kind\":\"%s\"", loop_wall_ms(r->loop), kind);
    struct store_record record = {.stream = STREAM_EVENT,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = SITE_NONE,
                                  .unsynced = !loop_clock_synced(r->loop),
                                  .kind = kind};
    return store_append(r->store, &record);
}

/* A connection like an operator's, beside the daemon's. */
static inline sqlite3 *rig_sql(const struct rig *r)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return db;
}

/* All rows and columns as text: "a|b;c|d". NULL is empty. Valid until the next call. */
static inline const char *rig_query(const struct rig *r, const char *sql)
{
    static char out[8192];
    sqlite3 *db = rig_sql(r);
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    size_t used = 0;
    out[0] = '\0';
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const unsigned char *text = sqlite3_column_text(stmt, i);
            used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s",
                                     i > 0      ? "|"
                                     : used > 0 ? ";"
                                                : "",
                                     text == NULL ? "" : (const char *)text);
            assert_true(used < sizeof(out));
        }
    }
    if (rc != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return out;
}

static inline int64_t rig_number(const struct rig *r, const char *sql)
{
    return strtoll(rig_query(r, sql), NULL, 10);
}

/* One fetch, waited for; bodies copied and terminated. */
struct rig_chunk {
    bool called;
    struct chunk chunk;
    char bodies[1 << 16];
};

static inline void rig_took(void *arg, const struct chunk *chunk)
{
    struct rig_chunk *out = arg;
    assert_false(out->called);
    out->called = true;
    out->chunk = *chunk;
    assert_true(chunk->length < sizeof(out->bodies));
    if (chunk->length > 0)
        memcpy(out->bodies, chunk->bodies, chunk->length);
    out->bodies[chunk->length] = '\0';
}

static inline const struct rig_chunk *rig_fetch(struct rig *r, enum stream stream, int64_t from, int64_t upto,
                                                size_t max_count, size_t max_bytes,
                                                const struct stream_filter *filter)
{
    static struct rig_chunk out;
    out.called = false;
    assert_int_equal(store_fetch(r->store, stream, from, upto, max_count, max_bytes, filter, rig_took, &out),
                     RG_OK);
    rig_run(r, 0);
    assert_true(out.called);
    return &out;
}

#endif
