/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* Cursors: their text, what is owed, what a new uplink gets, and that they are kept. */
#include "test_store_help.h"

#include "base/random.h"
#include "store/cursors.h"

static void configure(struct rig *r, const char *const *names, size_t count)
{
    assert_int_equal(store_configure(r->store, &r->conf, names, count), RG_OK);
}

static void test_text(void **state)
{
    (void)state;
    struct cursor c = {.acked = 9007199254740991, .range_count = CURSOR_RANGES};
    for (size_t i = 0; i < CURSOR_RANGES; i++) {
        int64_t at = INT64_C(9007199254740000) + (int64_t)i * 3;
        c.ranges[i] = (struct seq_range){at, at + 1};
    }
    assert_true(cursor_valid(&c));
    char text[CURSOR_TEXT];
    cursor_format(&c, text);
    struct cursor back = {.acked = c.acked};
    assert_int_equal(cursor_parse(text, strlen(text), &back), RG_OK);
    assert_memory_equal(&back, &c, sizeof(c));

    static const char *const bad[] = {
        "", "{}", "[1]", "[[1]]", "[[2,1]]", "[[1,2],[2,3]]", "[[0,5]]", "[[1,200]]", "[[\"a\",2]]"};
    for (size_t i = 0; i < RG_COUNT(bad); i++) {
        back = (struct cursor){.acked = 100};
        assert_int_not_equal(cursor_parse(bad[i], strlen(bad[i]), &back), RG_OK);
    }
}

/* Against counting one by one. */
static void test_owed_at_random(void **state)
{
    (void)state;
    uint64_t seed = random_system_seed();
    struct rg_random random;
    random_seed(&random, seed);
    static struct cursor_set set;
    for (int round = 0; round < 200; round++) {
        set.used = 0;
        bool owed[301] = {false};
        struct seq_range gone = {.first = 1 + (int64_t)random_below(&random, 100)};
        gone.last = gone.first + (int64_t)random_below(&random, 200);
        for (int u = 0; u < 3; u++) {
            char name[8];
            (void)snprintf(name, sizeof(name), "u%d", u);
            struct cursor *c = &cursors_enter(&set, name)->cursor[STREAM_EVENT];
            int64_t at = 1;
            while (c->range_count < 20 && at < 280) {
                at += (int64_t)random_below(&random, 20);
                int64_t last = at + (int64_t)random_below(&random, 8);
                c->ranges[c->range_count++] = (struct seq_range){at, last};
                at = c->acked = last + 1;
            }
            for (int64_t n = gone.first; n <= gone.last; n++) {
                bool mine = n > c->acked;
                for (size_t i = 0; i < c->range_count; i++)
                    mine = mine || (n >= c->ranges[i].first && n <= c->ranges[i].last);
                owed[n] = owed[n] || mine;
            }
        }
        uint64_t count = 0;
        int64_t first = 0, last = -1;
        for (int64_t n = 1; n <= 300; n++) {
            if (!owed[n])
                continue;
            count++;
            first = first == 0 ? n : first;
            last = n;
        }
        struct seq_range hull;
        if (cursors_owed(&set, STREAM_EVENT, gone, &hull) != count || hull.first != first ||
            hull.last != last)
            fail_msg("seed %" PRIu64 " round %d", seed, round);
    }
}

static void test_new_uplink(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    struct cursor c[STREAM_COUNT];
    store_cursor_get(r.store, "county", c);
    for (int i = 0; i < STREAM_COUNT; i++) {
        assert_int_equal(c[i].acked, 0);
        assert_int_equal(c[i].range_count, 0);
    }
    const char *const county[] = {"county"}, *const both[] = {"county", "city"}, *const city[] = {"city"};
    configure(&r, county, 1);
    for (int i = 0; i < 10; i++)
        rig_frame(&r, 1);
    rig_alarm(&r, 1);
    rig_run(&r, 2000);
    assert_string_equal(rig_query(&r, "SELECT * FROM v_uplink WHERE stream = 'telemetry'"),
                        "county|telemetry|0|10");

    configure(&r, both, 2);
    rig_frame(&r, 1);
    rig_run(&r, 2000);
    store_cursor_get(r.store, "city", c);
    assert_int_equal(c[STREAM_TELEMETRY].acked, 10);
    assert_int_equal(c[STREAM_TELEMETRY].range_count, 1);
    assert_int_equal(c[STREAM_TELEMETRY].ranges[0].first, 1);
    assert_int_equal(c[STREAM_TELEMETRY].ranges[0].last, 10);
    assert_int_equal(c[STREAM_ALARM].acked, 0);
    assert_string_equal(rig_query(&r, "SELECT * FROM v_uplink WHERE uplink = 'city' ORDER BY stream"),
                        "city|alarm|0|1;city|event|0|0;city|report|0|0;city|telemetry|10|11");

    configure(&r, city, 1);
    rig_run(&r, 2000);
    assert_string_equal(rig_query(&r, "SELECT DISTINCT uplink FROM v_uplink"), "city");
    rig_close(&r);
    rig_open(&r);
    store_cursor_get(r.store, "city", c);
    assert_int_equal(c[STREAM_TELEMETRY].acked, 10);
    assert_int_equal(c[STREAM_TELEMETRY].ranges[0].last, 10);
    rig_end(&r);
}

static void test_kept(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    for (int i = 0; i < 30; i++)
        rig_frame(&r, 1);
    rig_run(&r, 5000);
    struct cursor c = {.acked = 25, .range_count = 2, .ranges = {{3, 4}, {10, 20}}};
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &c), RG_OK);
    rig_run(&r, 999);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM cursor"), 0);
    rig_run(&r, 1);
    assert_string_equal(rig_query(&r, "SELECT acked, pending FROM v_uplink WHERE stream = 'telemetry'"),
                        "25|18");

    /* With the next commit, whoever asks for it. */
    c.acked = 26;
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &c), RG_OK);
    rig_alarm(&r, 1);
    rig_run(&r, 0);
    assert_string_equal(rig_query(&r, "SELECT acked FROM v_uplink WHERE stream = 'telemetry'"), "26");

    /* And at the close. */
    c.acked = 27;
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &c), RG_OK);
    rig_close(&r);
    rig_open(&r);
    struct cursor back[STREAM_COUNT];
    store_cursor_get(r.store, "county", back);
    assert_memory_equal(&back[STREAM_TELEMETRY], &c, sizeof(c));

    c = (struct cursor){.acked = INT64_MAX};
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &c), RG_OK);
    rig_run(&r, 1000);
    assert_string_equal(rig_query(&r, "SELECT acked, pending FROM v_uplink WHERE stream = 'telemetry'"),
                        "30|0");

    c = (struct cursor){.acked = 5, .range_count = 1, .ranges = {{3, 6}}};
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &c), RG_EINVAL);
    c.range_count = CURSOR_RANGES + 1;
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &c), RG_EINVAL);
    c.range_count = 0;
    assert_int_equal(store_cursor_put(r.store, "no name", STREAM_TELEMETRY, &c), RG_EINVAL);
    rig_end(&r);
}

/* Where telemetry is to be committed seldom: what acknowledges it does not have it committed sooner. */
static void test_no_commit_of_its_own(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.commit_ms = 10000;
    rig_open(&r);
    rig_frame(&r, 1);
    rig_run(&r, 10000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 1);
    struct cursor c = {.acked = 1};
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &c), RG_OK);
    rig_frame(&r, 1);
    rig_run(&r, 9499);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM cursor"), 0);
    rig_run(&r, 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 2);
    assert_int_equal(rig_number(&r, "SELECT acked FROM v_uplink WHERE stream = 'telemetry'"), 1);

    /* What else is acknowledged is kept within a second all the same. */
    c.acked = 0;
    rig_frame(&r, 1);
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_EVENT, &c), RG_OK);
    rig_run(&r, 999);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 2);
    rig_run(&r, 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 3);
    rig_end(&r);
}

static void test_bound(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    struct cursor c = {.acked = 0};
    char name[16];
    for (int i = 0; i < CURSORS_UPLINKS; i++) {
        (void)snprintf(name, sizeof(name), "u%d", i);
        assert_int_equal(store_cursor_put(r.store, name, STREAM_EVENT, &c), RG_OK);
    }
    assert_int_equal(store_cursor_put(r.store, "more", STREAM_EVENT, &c), RG_EFULL);
    const char *const one[] = {"u7"};
    configure(&r, one, 1);
    rig_run(&r, 2000);
    assert_int_equal(store_cursor_put(r.store, "more", STREAM_EVENT, &c), RG_OK);
    assert_string_equal(rig_query(&r, "SELECT DISTINCT uplink FROM v_uplink"), "u7");
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_owed_at_random),
        cmocka_unit_test(test_new_uplink),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_no_commit_of_its_own),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
