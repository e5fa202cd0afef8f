/* LINK rg_store rg_loop rg_test_support PkgConfig::SQLITE Threads::Threads; LABEL tsan */
/* The store on the real loop, with its two threads and a reader of somebody else's. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support_tmp.h"

#define ROUNDS 60
#define FRAMES 100 /* in each round */

struct run {
    char folder[SUPPORT_TMP_SIZE], path[SUPPORT_TMP_SIZE + 32];
    struct site_store conf;
    struct loop *loop;
    struct store *store;
    struct loop_timer *timer;
    int64_t head[STREAM_COUNT], fetched[STREAM_COUNT];
    unsigned rounds;
    bool fetching[STREAM_COUNT], flushed;
    atomic_bool stop_outside;
};

static void committed(void *arg, const int64_t head[STREAM_COUNT], const bool changed[STREAM_COUNT])
{
    struct run *r = arg;
    (void)changed;
    memcpy(r->head, head, sizeof(r->head));
}

static void took(struct run *r, enum stream stream, const struct chunk *chunk);

static void took_alarms(void *arg, const struct chunk *chunk)
{
    took(arg, STREAM_ALARM, chunk);
}

static void took_telemetry(void *arg, const struct chunk *chunk)
{
    took(arg, STREAM_TELEMETRY, chunk);
}

static void fetch(struct run *r, enum stream stream)
{
    store_chunk_cb cb = stream == STREAM_ALARM ? took_alarms : took_telemetry;
    if (r->fetching[stream] || r->fetched[stream] >= r->head[stream])
        return;
    assert_int_equal(store_fetch(r->store, stream, r->fetched[stream] + 1, 0, 50, 10000, NULL, cb, r), RG_OK);
    r->fetching[stream] = true;
}

static void took(struct run *r, enum stream stream, const struct chunk *chunk)
{
    r->fetching[stream] = false;
    assert_int_equal(chunk->error, RG_OK);
    assert_int_equal(chunk->first, r->fetched[stream] + 1);
    assert_int_equal(chunk->prev, r->fetched[stream]);
    assert_int_equal(chunk->bodies[chunk->length - 1], '}');
    r->fetched[stream] = chunk->last;
    struct cursor cursor = {.acked = chunk->last};
    assert_int_equal(store_cursor_put(r->store, "county", stream, &cursor), RG_OK);
    fetch(r, stream);
}

static void append(struct run *r, enum stream stream, unsigned number)
{
    char body[64], name[16];
    int n = snprintf(body, sizeof(body), "\"ts\":%u,\"n\":%u", number, number);
    (void)snprintf(name, sizeof(name), "gas-%u", number % 7);
    struct store_record record = {.stream = stream,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = number % 7,
                                  .device_name = name,
                                  .level = LEVEL_RED};
    assert_int_equal(store_append(r->store, &record), RG_OK);
}

static void flushed(void *arg, bool ok)
{
    struct run *r = arg;
    assert_true(ok);
    r->flushed = true;
}

static void tick(void *arg)
{
    struct run *r = arg;
    if (r->rounds < ROUNDS) {
        for (unsigned i = 0; i < FRAMES; i++)
            append(r, STREAM_TELEMETRY, i);
        append(r, STREAM_ALARM, r->rounds);
        if (++r->rounds == ROUNDS)
            store_flush(r->store, flushed, r);
    }
    fetch(r, STREAM_ALARM);
    fetch(r, STREAM_TELEMETRY);
    if (r->flushed && r->fetched[STREAM_ALARM] == ROUNDS && r->fetched[STREAM_TELEMETRY] == ROUNDS * FRAMES)
        loop_stop(r->loop);
    else
        loop_timer_at(r->timer, loop_mono_ms(r->loop) + 2);
}

static void *look_from_outside(void *arg)
{
    struct run *r = arg;
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        abort();
    while (!atomic_load(&r->stop_outside)) {
        if (sqlite3_exec(db, "SELECT count(*), max(seq) FROM v_reading", NULL, NULL, NULL) != SQLITE_OK)
            abort();
    }
    if (sqlite3_close(db) != SQLITE_OK)
        abort();
    return NULL;
}

static void open_run(struct run *r)
{
    struct store_cbs cbs = {.committed = committed};
    struct store_start start;
    char why[256];
    r->conf = (struct site_store){.path = r->path,
                                  .commit_ms = 20,
                                  .keep_telemetry_ms = INT64_C(1) << 40,
                                  .keep_alarms_ms = INT64_C(1) << 40,
                                  .keep_events_ms = INT64_C(1) << 40,
                                  .max_size = 1 << 30};
    if (store_open(r->loop, &r->conf, &cbs, r, &r->store, &start, why, sizeof(why)) != RG_OK)
        fail_msg("%s", why);
    memcpy(r->head, start.head, sizeof(r->head));
    store_start_free(&start);
}

static void begin(struct run *r)
{
    *r = (struct run){.loop = NULL};
    assert_true(support_tmp_dir(r->folder));
    (void)snprintf(r->path, sizeof(r->path), "%s/riskgate.db", r->folder);
    assert_int_equal(loop_create(&r->loop), RG_OK);
    open_run(r);
}

static void end(struct run *r)
{
    assert_int_equal(loop_destroy(r->loop), RG_OK);
    assert_true(support_tmp_remove(r->folder));
}

static void test_together(void **state)
{
    (void)state;
    struct run r;
    begin(&r);
    pthread_t outside;
    assert_int_equal(pthread_create(&outside, NULL, look_from_outside, &r), 0);
    assert_int_equal(loop_timer_create(r.loop, tick, &r, &r.timer), RG_OK);
    loop_timer_at(r.timer, 0);
    loop_run(r.loop);
    atomic_store(&r.stop_outside, true);
    assert_int_equal(pthread_join(outside, NULL), 0);
    loop_timer_destroy(r.timer);
    assert_int_equal(store_close(r.store), RG_OK);
    end(&r);
}

/* Closed with jobs under way on both threads and records that gathered meanwhile: all of them are kept. */
static void test_close_at_work(void **state)
{
    (void)state;
    struct run r;
    begin(&r);
    int64_t alarms = 0, frames = 0;
    for (unsigned i = 0; i < 20; i++) {
        append(&r, STREAM_ALARM, i); /* the worker begins */
        for (unsigned k = 0; k < 200; k++)
            append(&r, STREAM_TELEMETRY, k);
        alarms++;
        frames += 200;
        assert_int_equal(store_fetch(r.store, STREAM_ALARM, 1, 0, 50, 10000, NULL, took_alarms, &r), RG_OK);
        assert_int_equal(store_close(r.store), RG_OK);
        open_run(&r);
        assert_int_equal(r.head[STREAM_ALARM], alarms);
        assert_int_equal(r.head[STREAM_TELEMETRY], frames);
    }
    assert_int_equal(store_close(r.store), RG_OK);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_close_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
