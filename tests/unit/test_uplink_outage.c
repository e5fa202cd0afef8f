/* LINK rg_uplink rg_test_support rg_loop_virtual rg_base */
/* After an outage: the present first, alarms before all, what was missed beside it; and one uplink's trouble is its own. */
#include "uplink_world.h"

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_open(&w);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&w);
    return 0;
}

static void outage(bool receipts)
{
    w.conf.receipts = receipts;
    world_start(&w);
    world_run(&w, 40000);
    w.broker->connect = SUPPORT_REFUSE;
    support_broker_cut(w.broker);
    world_run(&w, 5000);
}

static void comes_back(void)
{
    w.broker->connect = SUPPORT_ACCEPT;
    for (int i = 0; i < 2000 && !world_stats(&w).connected; i++)
        world_run(&w, 50);
    assert_true(world_stats(&w).connected);
}

/* A new alarm does not wait for five thousand that were missed, on a slow line either. */
static void a_new_alarm_does_not_wait_for_missed_ones(void **state)
{
    (void)state;
    w.broker->delay_ms = 600;
    outage(false);
    world_add(&w, STREAM_ALARM, 5000);
    world_add(&w, STREAM_EVENT, 5000);
    world_add(&w, STREAM_TELEMETRY, 20000);
    comes_back();
    world_add(&w, STREAM_ALARM, 1);
    world_run(&w, 900);
    assert_int_equal(w.seen[STREAM_ALARM][5001].times, 1);
    assert_false(w.seen[STREAM_ALARM][5001].backfill);
    assert_int_equal(w.seen[STREAM_ALARM][5000].times, 0);
    for (int i = 0; i < 50; i++) { /* nor in the midst of them */
        const int64_t seq = w.head[STREAM_ALARM] + 1;

        world_add(&w, STREAM_ALARM, 1);
        world_add(&w, STREAM_TELEMETRY, 3);
        world_run(&w, 900);
        if (w.seen[STREAM_ALARM][seq].times == 0)
            fail_msg("the alarm %" PRId64 " waits", seq);
        if (w.seen[STREAM_TELEMETRY][w.head[STREAM_TELEMETRY]].times == 0)
            fail_msg("live telemetry waits");
    }
    for (int i = 0; i < 100 && world_stats(&w).pending[STREAM_TELEMETRY] > 0; i++)
        world_run(&w, 10000);
    assert_true(world_complete(&w));
    assert_true(w.seen[STREAM_ALARM][1].backfill);
}

/* Missed alarms do not keep to the pace of missed telemetry, and are there before it. */
static void missed_alarms_come_before_missed_telemetry(void **state)
{
    (void)state;
    w.conf.backfill_rate = 10;
    outage(false);
    world_add(&w, STREAM_ALARM, 5000);
    world_add(&w, STREAM_EVENT, 2000);
    world_add(&w, STREAM_TELEMETRY, 5000);
    comes_back();
    world_run(&w, 5000);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 0);
    assert_int_equal(world_stats(&w).pending[STREAM_EVENT], 0);
    assert_true(world_stats(&w).pending[STREAM_TELEMETRY] > 4800);
    for (int64_t seq = 1; seq <= 5000; seq++)
        assert_int_equal(w.seen[STREAM_ALARM][seq].times, 1);
}

/* However fast the broker takes both. */
static void no_missed_reading_goes_before_the_last_missed_alarm(void **state)
{
    (void)state;
    w.broker->delay_ms = 100;
    w.conf.backfill_rate = 0;
    outage(false);
    world_add(&w, STREAM_ALARM, 5000);
    world_add(&w, STREAM_TELEMETRY, 20000);
    comes_back();
    for (int i = 0; i < 1000 && w.seen[STREAM_ALARM][5000].times == 0; i++) {
        world_run(&w, 10);
        if (w.seen[STREAM_ALARM][5000].times == 0)
            assert_int_equal(w.seen[STREAM_TELEMETRY][1].times, 0);
    }
    world_run(&w, 60000);
    assert_true(world_complete(&w));
}

static void a_few_missed_alarms_come_first_and_in_order(void **state)
{
    (void)state;
    outage(false);
    world_add(&w, STREAM_ALARM, UPLINK_RECORD_LAG);
    comes_back();
    world_add(&w, STREAM_ALARM, 1);
    world_run(&w, 2000);
    assert_true(world_complete(&w));
    assert_false(w.alarm_out_of_order);
}

static void interrupted_backfill_goes_on_where_it_stopped(void **state)
{
    unsigned again = 0;

    (void)state;
    w.conf.backfill_rate = 0;
    w.broker->delay_ms = 200;
    outage(false);
    world_add(&w, STREAM_ALARM, 20000);
    comes_back();
    world_run(&w, 2000);
    support_broker_cut(w.broker);
    world_run(&w, 100);
    w.broker->connect = SUPPORT_REFUSE;
    world_run(&w, 5000);
    comes_back();
    world_run(&w, 1500);
    world_kill(&w); /* and a crash */
    world_start(&w);
    world_run(&w, 60000);
    assert_true(world_complete(&w));
    for (int64_t seq = 1; seq <= 20000; seq++) {
        again += w.seen[STREAM_ALARM][seq].times > 1;
        assert_true(w.seen[STREAM_ALARM][seq].times <= 3);
    }
    assert_true(again <=
                8000); /* what was in flight, and what the last second's cursor did not know of; not all */
}

/* The same with receipts: what was not receipted comes again, telemetry as back-fill when it is much. */
static void with_receipts_it_goes_on_from_the_last_one(void **state)
{
    (void)state;
    w.conf.backfill_rate = 0;
    outage(true);
    world_add(&w, STREAM_TELEMETRY, 5000);
    comes_back();
    world_run(&w, 10000);
    assert_true(world_receipt(&w, STREAM_TELEMETRY, 3000));
    world_run(&w, 2000);
    support_broker_cut(w.broker);
    world_run(&w, 10000);
    assert_int_equal(w.seen[STREAM_TELEMETRY][3000].times, 1);
    assert_int_equal(w.seen[STREAM_TELEMETRY][3001].times, 2);
    assert_int_equal(w.seen[STREAM_TELEMETRY][5000].times, 2);
    assert_true(world_receipt(&w, STREAM_TELEMETRY, 5000));
    world_run(&w, 2000);
    assert_int_equal(world_stats(&w).pending[STREAM_TELEMETRY], 0);
}

/* A broker that takes one message at a time is no reason for a new alarm to wait either. */
static void with_room_for_one_message(void **state)
{
    (void)state;
    w.broker->receive_max = 1;
    w.broker->delay_ms = 100;
    outage(false);
    world_add(&w, STREAM_ALARM, 2000);
    world_add(&w, STREAM_TELEMETRY, 5000);
    comes_back();
    for (int i = 0; i < 20; i++) {
        world_add(&w, STREAM_ALARM, 1);
        world_run(&w, 1000);
        assert_int_equal(w.seen[STREAM_ALARM][w.head[STREAM_ALARM]].times, 1);
    }
    for (int i = 0; i < 100 && world_stats(&w).pending[STREAM_TELEMETRY] > 0; i++)
        world_run(&w, 10000);
    assert_true(world_complete(&w));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_alarm_does_not_wait_for_missed_ones),
        TEST(missed_alarms_come_before_missed_telemetry),
        TEST(no_missed_reading_goes_before_the_last_missed_alarm),
        TEST(a_few_missed_alarms_come_first_and_in_order),
        TEST(interrupted_backfill_goes_on_where_it_stopped),
        TEST(with_receipts_it_goes_on_from_the_last_one),
        TEST(with_room_for_one_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
