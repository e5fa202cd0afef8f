/* LINK rg_store rg_loop_virtual rg_test_support rg_fault_vfs PkgConfig::SQLITE */
/* Each single write, truncation and sync in turn fails, or is where the power is cut: what was told as committed is there,
 * nothing is there that was not handed over, the chains hold, and the store takes records again. */
#include "test_store_damage.h"

#include "base/random.h"
#include "fault_vfs.h"

#define STEPS 4
#define FRAMES 3
#define CUTS 400 /* more than there are operations */

/* Alarms, events and telemetry, with a checkpoint and a retention in between. */
static void work(struct rig *r)
{
    for (unsigned i = 0; i < STEPS && !fault_now()->off; i++) {
        for (uint32_t k = 0; k < FRAMES; k++)
            rig_frame(r, k);
        rig_alarm(r, i + 1);
        assert_int_equal(rig_event(r, "device"), RG_OK);
        rig_run(r, 1500);
    }
    rig_run(r, fault_now()->off ? 0 : 12000);
}

static void start(struct rig *r)
{
    rig_init(r);
    r->conf.keep_telemetry_ms = 3000;
    r->conf.max_size = 256 << 10; /* so that the log is copied back at times */
    rig_open(r);
    store_start_free(&r->start);
}

static void check(struct rig *r, const int64_t told[STREAM_COUNT])
{
    for (int s = 0; s < STREAM_COUNT; s++)
        assert_true(r->start.head[s] >= told[s]);
    assert_true(r->start.head[STREAM_ALARM] <= STEPS && r->start.head[STREAM_TELEMETRY] <= STEPS * FRAMES);
    damage_audit(r);
    assert_int_equal(rig_number(r, "SELECT count(DISTINCT body ->> '$.alarm') FROM alarm"),
                     r->start.head[STREAM_ALARM]);
    assert_int_equal(r->start.alarm_count, r->start.head[STREAM_ALARM]);
    assert_string_equal(rig_query(r, "PRAGMA quick_check"), "ok");
}

static void cut(int64_t at, enum fault_loss loss, uint64_t seed, unsigned *cuts)
{
    struct rig r;
    fault_clear();
    fault_watch(true);
    start(&r);
    fault_now()->cut_in = at;
    work(&r);
    bool off = fault_now()->off;
    int64_t told[STREAM_COUNT];
    memcpy(told, r.head, sizeof(told));
    (void)store_close(r.store);
    r.store = NULL;
    fault_cut(loss, seed);
    fault_watch(false);
    rig_open(&r);
    if (r.start.damage[0] != '\0')
        fail_msg("cut at %" PRId64 ": %s", at, r.start.damage);
    check(&r, told);
    rig_alarm(&r, 1000);
    rig_run(&r, 10);
    assert_int_equal(r.head[STREAM_ALARM], r.start.head[STREAM_ALARM] + 1);
    rig_end(&r);
    *cuts += off;
}

static void test_power(void **state)
{
    (void)state;
    uint64_t seed = random_system_seed();
    print_message("seed %" PRIu64 "\n", seed);
    unsigned cuts = 0, before = 0;
    int64_t at = 0;
    for (; at < CUTS; at++) {
        before = cuts;
        cut(at, (enum fault_loss)(at % 3), seed + (uint64_t)at, &cuts);
        if (cuts == before)
            break; /* it came after the end */
    }
    print_message("%u cuts\n", cuts);
    assert_true(cuts > 50 && at < CUTS);
}

/* Only the k-th operation fails: everything is stored in the end, once, and the alarms of the batch that failed went out at
 * once. */
static unsigned fail_one(int64_t at, int error, bool shortly)
{
    struct rig r;
    fault_clear();
    start(&r);
    fault_now()->write_error = error;
    fault_now()->countdown = at;
    fault_now()->once = true;
    fault_now()->shortly = shortly;
    work(&r);
    unsigned failures = (unsigned)fault_now()->failures;
    fault_clear();
    rig_run(&r, 12000);
    assert_int_equal(r.head[STREAM_ALARM], STEPS);
    assert_int_equal(r.head[STREAM_EVENT], STEPS);
    assert_int_equal(r.head[STREAM_TELEMETRY], STEPS * FRAMES);
    assert_int_equal(r.asides, 0);
    assert_int_equal(rig_number(&r, "SELECT count(DISTINCT body ->> '$.alarm') FROM alarm"), STEPS);
    damage_audit(&r);
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_true(stats.ok);
    assert_true(r.unstored <= 1);
    rig_end(&r);
    return failures;
}

static void test_each_fails(void **state)
{
    (void)state;
    static const struct {
        int error;
        bool shortly;
    } kinds[] = {{SQLITE_FULL, true},
                 {SQLITE_IOERR_WRITE, false},
                 {SQLITE_IOERR_FSYNC, false},
                 {SQLITE_READONLY, false}};
    unsigned total = 0;
    for (int64_t at = 0; at < CUTS; at++) {
        unsigned failures = fail_one(at, kinds[at % 4].error, kinds[at % 4].shortly);
        total += failures;
        if (failures == 0)
            break;
    }
    print_message("%u failures\n", total);
    assert_true(total > 50);
}

int main(void)
{
    fault_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_each_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
