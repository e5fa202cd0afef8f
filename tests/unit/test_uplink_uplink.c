/* LINK rg_uplink rg_test_support rg_loop_virtual rg_base */
#include "uplink_world.h"

#include <unistd.h>

#include "support_tmp.h"
#include "uplink/about.h"

static struct world world;

static int setup(void **state)
{
    world_open(&world);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

static void documents_first_and_retained(void **state)
{
    struct world *w = *state;

    world_start(w);
    assert_int_equal(uplink_doc(w->uplink, UPLINK_DOC_ABOUT, "{\"v\":1}", 7), RG_OK);
    assert_int_equal(uplink_doc(w->uplink, UPLINK_DOC_RISK, "{\"old\":1}", 9), RG_OK);
    assert_int_equal(uplink_doc(w->uplink, UPLINK_DOC_RISK, "{\"new\":1}", 9), RG_OK);
    world_run(w, 1000);
    assert_int_equal(w->broker->count, 3);
    assert_string_equal(w->broker->messages[0].topic, "riskgate/v1/E/gw-01/state");
    assert_string_equal(w->broker->messages[0].payload, "{\"v\":1,\"online\":true}");
    assert_string_equal(support_broker_retained(w->broker, "/risk")->payload, "{\"new\":1}");
    assert_non_null(support_broker_retained(w->broker, "/about"));

    /* Cut: the will; then all of them again. */
    support_broker_cut(w->broker);
    assert_string_equal(support_broker_retained(w->broker, "/state")->payload, "{\"v\":1,\"online\":false}");
    world_run(w, 5000);
    assert_int_equal(w->broker->count, 7);
    assert_string_equal(support_broker_retained(w->broker, "/state")->payload, "{\"v\":1,\"online\":true}");
    assert_int_equal(w->ups, 2);
    assert_int_equal(w->downs, 1);
}

static unsigned abouts(const struct world *w)
{
    unsigned count = 0;

    for (size_t i = 0; i < w->broker->count; i++)
        count += strstr(w->broker->messages[i].topic, "/about") != NULL;
    return count;
}

/* It is of the site there is, each time that it is sent. */
static void about_is_made_when_it_is_sent(void **state)
{
    struct world *w = *state;
    struct jsonw text;
    uint64_t stamp;

    jsonw_init(&text, 0);
    about_write(&w->site.site, &text);
    assert_int_equal(jsonw_error(&text), RG_OK);
    stamp = about_stamp(&text);
    assert_true(stamp != 0);
    world_start(w);
    w->broker->publish_errors = 3; /* it stays due */
    uplink_about(w->uplink, 0);
    world_run(w, 20000);
    assert_int_equal(abouts(w), 1);
    assert_string_equal(support_broker_retained(w->broker, "/about")->payload, text.text);
    uplink_about(w->uplink, stamp); /* no other than before */
    world_run(w, 1000);
    assert_int_equal(abouts(w), 1);
    uplink_about(w->uplink, stamp ^ 1);
    world_run(w, 1000);
    assert_int_equal(abouts(w), 2);
    support_broker_cut(w->broker);
    world_run(w, 5000);
    assert_int_equal(abouts(w), 3);
    w->site.site.gateway.id = "gw-77"; /* what it says is what there is now */
    uplink_about(w->uplink, stamp ^ 1);
    world_run(w, 1000);
    assert_int_equal(abouts(w), 4);
    assert_non_null(strstr(support_broker_retained(w->broker, "/about")->payload, "\"gw-77\""));
    w->site.site.gateway.id = "gw-01";
    jsonw_free(&text);
}

/* While one is in flight only the newest of those that follow is kept. */
static void a_document_waits_for_the_one_before(void **state)
{
    struct world *w = *state;
    char text[32];

    world_start(w);
    world_run(w, 100);
    support_broker_clear(w->broker);
    w->broker->delay_ms = 1000;
    for (int i = 0; i < 20; i++) {
        const int length = snprintf(text, sizeof(text), "{\"n\":%d}", i);

        assert_int_equal(uplink_doc(w->uplink, UPLINK_DOC_RISK, text, (size_t)length), RG_OK);
        world_run(w, 10);
    }
    world_run(w, 5000);
    assert_int_equal(w->broker->count, 2);
    assert_string_equal(w->broker->messages[0].payload, "{\"n\":0}");
    assert_string_equal(w->broker->messages[1].payload, "{\"n\":19}");
}

static void an_alarm_overtakes_a_full_window(void **state)
{
    struct world *w = *state;
    struct uplink_stats stats;

    world_start(w);
    world_run(w, 100);
    w->record_bytes = 100;
    w->broker->hold_acks = true;
    for (int i = 0; i < 100; i++) { /* one message each */
        world_add(w, STREAM_TELEMETRY, 1);
        world_run(w, 10);
    }
    assert_int_equal(world_stats(w).in_flight, UPLINK_WINDOW - UPLINK_WINDOW_RESERVE);
    assert_int_equal(w->seen[STREAM_TELEMETRY][90].times, 0);
    world_add(w, STREAM_ALARM, 1);
    world_add(w, STREAM_EVENT, 1);
    world_run(w, 20);
    assert_int_equal(w->seen[STREAM_ALARM][1].times, 1);
    assert_int_equal(w->seen[STREAM_EVENT][1].times, 1);
    for (int i = 0; i < 10; i++) {
        world_add(w, STREAM_ALARM, 1);
        world_run(w, 20);
    }
    assert_int_equal(world_stats(w).in_flight, UPLINK_WINDOW);
    assert_int_equal(w->broker->most_unacked, UPLINK_WINDOW);
    support_broker_release(w->broker);
    world_run(w, 1000);
    assert_true(world_complete(w));
    stats = world_stats(w);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(stats.acked_messages, stats.messages);
    assert_int_equal(stats.last_ack_wall_ms > VIRTUAL_WALL_MS, 1);
    for (int s = 0; s < STREAM_COUNT; s++)
        assert_int_equal(stats.pending[s], 0);
}

/* Live telemetry that waits for room, an alarm that is still being read: the alarm goes first. */
static void telemetry_waits_while_an_alarm_is_read(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_run(w, 100);
    w->fetch_ms = 50;
    world_add(w, STREAM_TELEMETRY, 1);
    world_run(w, 30);
    world_add(w, STREAM_ALARM, 1);
    world_run(w, 200);
    assert_true(w->seen[STREAM_ALARM][1].first_ms <= w->seen[STREAM_TELEMETRY][1].first_ms);
    assert_int_equal(w->seen[STREAM_TELEMETRY][1].times, 1);
}

static void bulk_in_flight_is_bounded_in_bytes(void **state)
{
    struct world *w = *state;
    size_t bytes = 0;

    world_start(w);
    world_run(w, 100);
    support_broker_clear(w->broker);
    w->record_bytes = 1000;
    w->broker->hold_acks = true;
    world_add(w, STREAM_TELEMETRY, 900);
    world_run(w, 1000);
    for (size_t i = 0; i < w->broker->count; i++) {
        assert_true(w->broker->messages[i].length < UPLINK_MESSAGE_BYTES + 2000);
        bytes += w->broker->messages[i].length;
    }
    assert_in_range(bytes, UPLINK_WINDOW_BYTES / 2, UPLINK_WINDOW_BYTES);
    support_broker_release(w->broker);
    world_run(w, 1000);
    assert_true(world_complete(w));
}

static void after_an_outage_live_first_and_the_rest_at_its_pace(void **state)
{
    struct world *w = *state;
    int64_t begun;

    world_start(w);
    world_run(w, 100);
    world_add(w, STREAM_TELEMETRY, 10);
    world_run(w, 100);
    w->broker->connect = SUPPORT_REFUSE;
    support_broker_cut(w->broker);
    world_run(w, 3600000);
    world_add(w, STREAM_TELEMETRY, 5000);
    world_add(w, STREAM_ALARM, 3);
    assert_int_equal(world_stats(w).pending[STREAM_TELEMETRY], 5000);
    w->broker->connect = SUPPORT_ACCEPT;
    while (!w->broker->up)
        world_run(w, 1);
    begun = loop_mono_ms(w->loop);
    world_add(w, STREAM_ALARM, 1);
    for (int i = 0; i < 40; i++) {
        world_add(w, STREAM_TELEMETRY, 1);
        world_run(w, 1000);
    }
    assert_true(world_complete(w));
    assert_false(w->alarm_out_of_order);
    for (int64_t seq = 1; seq <= 3; seq++)
        assert_true(w->seen[STREAM_ALARM][seq].backfill);
    assert_false(w->seen[STREAM_ALARM][4].backfill);
    assert_true(w->seen[STREAM_ALARM][4].first_ms < begun + 1000);
    for (int64_t seq = 11; seq <= 5010; seq++) {
        const struct world_seen *seen = &w->seen[STREAM_TELEMETRY][seq];

        assert_true(seen->backfill && seen->times == 1);
        assert_true(seen->first_ms >= w->seen[STREAM_TELEMETRY][seq - 1].first_ms || seq == 11);
        /* 200 records a second after the first message of 200 */
        assert_true(seen->first_ms - begun >= (seq - 11) / 200 * 1000);
        assert_true(seen->first_ms - begun < (seq - 11) / 200 * 1000 + 500);
    }
    for (int64_t seq = 5011; seq <= w->head[STREAM_TELEMETRY]; seq++) {
        assert_false(w->seen[STREAM_TELEMETRY][seq].backfill);
        assert_true(w->seen[STREAM_TELEMETRY][seq].first_ms < begun + (seq - 5011) * 1000 + 100);
    }
    assert_int_equal(w->saved[STREAM_TELEMETRY].range_count, 0);
}

static void a_short_gap_is_made_up_in_order(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_run(w, 100);
    w->broker->connect = SUPPORT_REFUSE;
    support_broker_cut(w->broker);
    world_add(w, STREAM_TELEMETRY, UPLINK_LIVE_LAG);
    w->broker->connect = SUPPORT_ACCEPT;
    while (!w->broker->up)
        world_run(w, 1);
    world_add(w, STREAM_TELEMETRY, 5);
    world_run(w, 100);
    assert_true(world_complete(w));
    assert_int_equal(w->saved[STREAM_TELEMETRY].range_count, 0);
    assert_true(w->seen[STREAM_TELEMETRY][UPLINK_LIVE_LAG].backfill);
    assert_false(w->seen[STREAM_TELEMETRY][UPLINK_LIVE_LAG + 1].backfill);
}

static void filters_leave_out_and_the_cursor_goes_on(void **state)
{
    struct world *w = *state;

    w->conf.alarms_from = LEVEL_ORANGE;
    w->devices[2] = true;
    w->conf.telemetry_devices = w->devices;
    world_start(w);
    world_run(w, 100);
    world_commit(w, STREAM_ALARM, 20);
    for (int64_t seq = 1; seq <= 20; seq++)
        w->records[STREAM_ALARM][seq].level = seq % 3 == 0 ? LEVEL_ORANGE : LEVEL_BLUE;
    w->records[STREAM_ALARM][8].was = LEVEL_RED; /* the end of what was heard begin */
    world_commit(w, STREAM_TELEMETRY, 3001);
    uplink_head(w->uplink, w->head);
    world_run(w, 3000);
    assert_true(world_complete(w));
    assert_int_equal(w->seen[STREAM_ALARM][8].times, 1);
    assert_int_equal(w->saved[STREAM_ALARM].acked, 20); /* beyond 18, the last that was sent */
    assert_int_equal(w->saved[STREAM_TELEMETRY].acked, 3001);

    /* Nothing at all passes. */
    w->devices[2] = false;
    world_add(w, STREAM_TELEMETRY, 700);
    world_run(w, 3000);
    assert_int_equal(w->saved[STREAM_TELEMETRY].acked, 3701);
    assert_int_equal(world_stats(w).pending[STREAM_TELEMETRY], 0);
}

/* What a filter left out behind a message in flight must not be done before that message is. */
static void left_out_records_wait_for_the_message_before_them(void **state)
{
    struct world *w = *state;

    w->devices[1] = true;
    w->conf.telemetry_devices = w->devices;
    world_start(w);
    world_run(w, 100);
    w->broker->hold_acks = true;
    world_add(w, STREAM_TELEMETRY, 1);
    world_run(w, 2000);
    world_add(w, STREAM_TELEMETRY, 3);
    world_run(w, 2000);
    assert_int_equal(w->saved[STREAM_TELEMETRY].acked, 0);
    support_broker_release(w->broker);
    world_run(w, 2000);
    assert_int_equal(w->saved[STREAM_TELEMETRY].acked, 4);
}

/* Sixty-four ranges, and a piece in the middle of one that the filter leaves out: there is no room to note
 * that it is done, so it is looked at once more, at the end. */
static void a_full_list_of_ranges_comes_to_an_end(void **state)
{
    struct world *w = *state;
    struct cursor *c = &w->saved[STREAM_TELEMETRY];

    w->devices[0] = true;
    w->conf.telemetry_devices = w->devices;
    w->conf.backfill_rate = 5;
    w->scan_max = 20;
    world_commit(w, STREAM_TELEMETRY, 10000);
    for (int64_t seq = 1; seq <= 10000; seq++) {
        w->records[STREAM_TELEMETRY][seq].device = seq % 150 % 95 < 6 ? 0 : 1;
        w->seen[STREAM_TELEMETRY][seq].times = 1;
    }
    c->acked = 10000;
    for (c->range_count = 0; c->range_count < CURSOR_RANGES; c->range_count++)
        c->ranges[c->range_count] = (struct seq_range){.first = (int64_t)c->range_count * 150 + 1,
                                                       .last = (int64_t)c->range_count * 150 + 100};
    for (size_t i = 0; i < CURSOR_RANGES; i++)
        for (int64_t seq = c->ranges[i].first; seq <= c->ranges[i].last; seq++)
            w->seen[STREAM_TELEMETRY][seq].times = 0;
    w->broker->delay_ms = 800;
    world_start(w);
    world_run(w, 300000);
    assert_true(world_complete(w));
    assert_int_equal(world_stats(w).pending[STREAM_TELEMETRY], 0);
    assert_int_equal(w->saved[STREAM_TELEMETRY].range_count, 0);
}

static void telemetry_off_sends_and_owes_none(void **state)
{
    struct world *w = *state;

    w->conf.telemetry_send = false;
    world_commit(w, STREAM_TELEMETRY, 5000);
    world_start(w);
    world_run(w, 100);
    world_add(w, STREAM_TELEMETRY, 10);
    world_add(w, STREAM_ALARM, 1);
    world_run(w, 3000);
    assert_int_equal(w->seen[STREAM_ALARM][1].times, 1);
    assert_int_equal(world_stats(w).pending[STREAM_TELEMETRY], 0);
    assert_int_equal(w->saved[STREAM_TELEMETRY].acked, 5010);
    for (int64_t seq = 1; seq <= 5010; seq++)
        assert_int_equal(w->seen[STREAM_TELEMETRY][seq].times, 0);
}

static void push_unstored(struct world *w, int n)
{
    char body[64];
    const int length = snprintf(body, sizeof(body), "\"ts\":%d,\"alarm\":\"gw-01-1\"", n);

    uplink_unstored_alarm(w->uplink, body, (size_t)length, LEVEL_NONE, LEVEL_RED, n % 2 != 0);
}

static void unstored_alarms_go_at_once_and_a_few_wait(void **state)
{
    struct world *w = *state;
    const struct support_message *m = NULL;

    w->conf.alarms_from = LEVEL_YELLOW;
    world_start(w);
    world_run(w, 100);
    support_broker_clear(w->broker);
    uplink_unstored_alarm(w->uplink, "\"ts\":1", 6, LEVEL_BLUE, LEVEL_NONE, false); /* not meant for it */
    push_unstored(w, 7);
    world_run(w, 20);
    assert_int_equal(w->unstored, 1);
    m = &w->broker->messages[0];
    assert_string_equal(m->topic, "riskgate/v1/E/gw-01/alarm");
    assert_non_null(strstr(
        m->payload, "\"prev\":null,\"first\":null,\"last\":null,\"stored\":false,\"clock\":\"unsynced\","
                    "\"records\":[{\"ts\":7,\"alarm\":\"gw-01-1\"}]}"));
    assert_non_null(strstr(m->payload, "\"backfill\":false"));

    w->broker->connect = SUPPORT_REFUSE;
    support_broker_cut(w->broker);
    for (int i = 0; i < 70; i++)
        push_unstored(w, i);
    assert_int_equal(world_stats(w).unstored_dropped, 6);
    support_broker_clear(w->broker);
    w->unstored = 0;
    w->broker->connect = SUPPORT_ACCEPT;
    world_run(w, 10000);
    assert_int_equal(w->unstored, 64);
    m = &w->broker->messages[0]; /* the oldest kept, before everything else */
    assert_non_null(strstr(m->payload, "\"ts\":6,"));
    assert_non_null(strstr(m->payload, "\"backfill\":true"));

    /* One that was in flight when the connection went is sent again. */
    w->broker->hold_acks = true;
    push_unstored(w, 1);
    world_run(w, 100);
    support_broker_cut(w->broker);
    w->broker->hold_acks = false;
    world_run(w, 60000);
    assert_int_equal(w->unstored, 66);
}

static bool refuse_telemetry(void *arg, const struct support_message *m)
{
    struct world *w = arg;

    return strstr(m->topic, "/telemetry") && w->broken == 0 && w->unstored++ < 3;
}

static void a_refused_message_is_told_and_sent_again(void **state)
{
    struct world *w = *state;

    w->broker->refuse = refuse_telemetry;
    world_start(w);
    world_run(w, 100);
    w->broker->delay_ms = 200; /* so that some behind the refused ones are taken */
    for (int i = 0; i < 10; i++) {
        world_add(w, STREAM_TELEMETRY, 3);
        world_run(w, 5);
    }
    world_run(w, 300);
    assert_in_range(world_stats(w).refused, 1, 3);
    assert_true(world_stats(w).connected);
    assert_non_null(strstr(world_stats(w).detail, "quota exceeded"));
    assert_true(w->seen[STREAM_TELEMETRY][20].times > 0);
    assert_int_equal(w->saved[STREAM_TELEMETRY].acked, 0); /* the first was refused: nothing is skipped */
    w->broker->delay_ms = 10;
    world_add(w, STREAM_ALARM, 1);
    world_run(w, 50);
    assert_int_equal(w->seen[STREAM_ALARM][1].times, 1); /* others go on */
    world_run(w, 120000);
    assert_true(world_complete(w));
    assert_int_equal(world_stats(w).refused, 3);
    assert_int_equal(world_stats(w).pending[STREAM_TELEMETRY], 0);
    assert_string_equal(world_stats(w).detail, "");
}

static void a_transport_that_takes_nothing_is_asked_again(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_run(w, 100);
    w->broker->publish_errors = 5;
    world_add(w, STREAM_ALARM, 3);
    push_unstored(w, 1);
    assert_int_equal(uplink_doc(w->uplink, UPLINK_DOC_RISK, "{}", 2), RG_OK);
    world_run(w, 60000);
    assert_true(world_complete(w));
    assert_int_equal(w->unstored, 1);
    assert_non_null(support_broker_retained(w->broker, "/risk"));
}

static void kicked_after_connack_backs_off(void **state)
{
    struct world *w = *state;

    w->broker->kick_ms = 5;
    world_start(w);
    world_run(w, 3600000);
    assert_in_range(w->broker->connections, 60, 130); /* an hour at 30 to 60 s, and the first few */
    w->broker->kick_ms = -1;
    world_run(w, 70000);
    assert_true(world_stats(w).connected);
    assert_string_equal(world_stats(w).detail, "");
}

static void a_mute_broker_is_given_up_and_tried_again(void **state)
{
    struct world *w = *state;

    w->broker->connect = SUPPORT_MUTE;
    world_start(w);
    world_run(w, 61000);
    assert_non_null(strstr(world_stats(w).detail, "no answer"));
    world_run(w, 600000);
    assert_in_range(w->broker->tries, 5, 11);
    w->broker->connect = SUPPORT_ACCEPT;
    world_run(w, 130000);
    assert_true(world_stats(w).connected);
    assert_int_equal(w->ups, 1);
}

static void a_small_receive_maximum_is_kept(void **state)
{
    struct world *w = *state;

    for (size_t limit = 1; limit <= 9; limit += 4) {
        w->broker->receive_max = limit;
        w->broker->most_unacked = 0;
        world_start(w);
        world_run(w, 100);
        w->record_bytes = 2000;
        world_add(w, STREAM_TELEMETRY, 900);
        for (int i = 0; i < 50; i++) {
            world_add(w, STREAM_ALARM, 1);
            world_run(w, 3);
        }
        world_run(w, 30000);
        assert_true(world_complete(w));
        assert_int_equal(w->broker->most_unacked, limit);
        world_run(w, 2000);
        world_kill(w);
    }
}

static void a_stop_flushes_says_goodbye_and_leaves_no_will(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_run(w, 100);
    world_commit(w, STREAM_ALARM, 3);
    world_commit(w, STREAM_EVENT, 2);
    uplink_head(w->uplink, w->head);
    world_stop(w, 5000);
    assert_false(w->done); /* never from inside */
    world_run(w, 1000);
    assert_true(w->done);
    assert_true(world_complete(w));
    assert_int_equal(w->broker->disconnects, 1);
    assert_string_equal(support_broker_retained(w->broker, "/state")->payload,
                        "{\"v\":1,\"online\":false,\"final\":true}");
    assert_false(w->broker->messages[w->broker->count - 1].will);
    assert_int_equal(w->saved[STREAM_ALARM].acked, 3);
    assert_int_equal(w->saved[STREAM_EVENT].acked, 2);
    assert_int_equal(w->downs, 0);   /* asked for, not lost */
    uplink_head(w->uplink, w->head); /* harmless now */
    push_unstored(w, 1);
    world_run(w, 3600000);
    assert_int_equal(w->broker->connections, 1);
}

static void a_stop_is_bounded(void **state)
{
    struct world *w = *state;
    int64_t begun;

    world_start(w);
    world_run(w, 100);
    w->broker->hold_acks = true;
    world_add(w, STREAM_ALARM, 3);
    world_add(w, STREAM_TELEMETRY, 3000);
    world_run(w, 100);
    begun = loop_mono_ms(w->loop);
    world_stop(w, 5000);
    while (!w->done)
        world_run(w, 10);
    assert_in_range(loop_mono_ms(w->loop) - begun, 5000, 7100);
    assert_int_equal(w->saved[STREAM_ALARM].acked, 0);
}

static void a_stop_without_a_connection_is_done(void **state)
{
    struct world *w = *state;

    w->broker->connect = SUPPORT_MUTE;
    world_start(w);
    world_add(w, STREAM_ALARM, 3);
    world_run(w, 1000);
    world_stop(w, 5000);
    world_run(w, 2);
    assert_true(w->done);
    assert_int_equal(world_stats(w).pending[STREAM_ALARM], 3);
}

static void what_is_gone_is_not_asked_for(void **state)
{
    struct world *w = *state;

    w->broker->connect = SUPPORT_REFUSE;
    world_start(w);
    world_add(w, STREAM_TELEMETRY, 9000);
    world_run(w, 1000);
    w->gone[STREAM_TELEMETRY] = 6000;
    uplink_gone(w->uplink, STREAM_TELEMETRY, 6000);
    assert_int_equal(world_stats(w).pending[STREAM_TELEMETRY], 3000);
    w->broker->connect = SUPPORT_ACCEPT;
    world_run(w, 5000);
    w->gone[STREAM_TELEMETRY] = 7000; /* in the middle of the back-fill */
    uplink_gone(w->uplink, STREAM_TELEMETRY, 7000);
    uplink_gone(w->uplink, STREAM_TELEMETRY, 100);
    world_run(w, 60000);
    assert_true(world_complete(w));
    assert_int_equal(world_stats(w).pending[STREAM_TELEMETRY], 0);
    assert_int_equal(w->seen[STREAM_TELEMETRY][5999].times, 0);
}

static void a_busy_or_broken_store_is_asked_again(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_run(w, 100);
    w->again = 7;
    world_add(w, STREAM_ALARM, 1);
    world_run(w, 1000);
    assert_int_equal(w->seen[STREAM_ALARM][1].times, 1);
    w->broken = 4;
    w->asked = 0;
    world_add(w, STREAM_ALARM, 1);
    world_run(w, 100);
    assert_non_null(strstr(world_stats(w).detail, "store"));
    world_run(w, 60000);
    assert_int_equal(w->seen[STREAM_ALARM][2].times, 1);
    assert_int_equal(w->asked, 5); /* at growing gaps, not in a loop */
    assert_string_equal(world_stats(w).detail, "");
}

static void cursors_are_kept_once_a_second(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_run(w, 100);
    for (int i = 0; i < 1000; i++) {
        world_add(w, STREAM_TELEMETRY, 1);
        world_run(w, 10);
    }
    assert_in_range(w->puts[STREAM_TELEMETRY], 9, 12);
    world_run(w, 1500);
    assert_int_equal(w->saved[STREAM_TELEMETRY].acked, 1000);
}

static void a_cursor_beyond_the_store_skips_nothing(void **state)
{
    struct world *w = *state;

    w->saved[STREAM_ALARM].acked = 1000; /* a store put back from an old copy */
    world_commit(w, STREAM_ALARM, 5);
    world_start(w);
    world_run(w, 100);
    world_add(w, STREAM_ALARM, 5);
    world_run(w, 1100);
    for (int64_t seq = 6; seq <= 10; seq++)
        assert_int_equal(w->seen[STREAM_ALARM][seq].times, 1);
    assert_int_equal(w->saved[STREAM_ALARM].acked, 10);
}

static void unsynced_records_are_told(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_run(w, 100);
    world_commit(w, STREAM_EVENT, 1);
    w->records[STREAM_EVENT][1].unsynced = true;
    uplink_head(w->uplink, w->head);
    world_run(w, 100);
    assert_non_null(strstr(w->broker->messages[w->broker->count - 1].payload, "\"clock\":\"unsynced\""));
}

static void the_password_is_read_for_every_try(void **state)
{
    struct world *w = *state;
    char dir[SUPPORT_TMP_SIZE];
    char path[SUPPORT_TMP_SIZE + 16];
    FILE *file = NULL;

    assert_true(support_tmp_dir(dir));
    (void)snprintf(path, sizeof(path), "%s/password", dir);
    w->conf.password_file = path;
    world_start(w); /* no file yet */
    assert_int_equal(w->broker->tries, 0);
    assert_non_null(strstr(world_stats(w).detail, "password"));
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("s3cret\n", file);
    assert_int_equal(fclose(file), 0);
    world_run(w, 2000);
    assert_string_equal(w->broker->password, "s3cret");
    assert_true(world_stats(w).connected);
    assert_true(support_tmp_remove(dir));
}

static void a_transport_that_cannot_be_made_is_an_error(void **state)
{
    struct world *w = *state;
    struct uplink_port port = world_port;
    struct uplink *u = NULL;

    port.arg = w;
    w->conf.port = 1; /* no broker there */
    assert_int_equal(
        uplink_create(w->loop, &w->site.site, &w->conf, &support_transport, &port, w->saved, w->head, 1, &u),
        RG_ENOTFOUND);
    assert_null(u);
    uplink_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(documents_first_and_retained),
        TEST(about_is_made_when_it_is_sent),
        TEST(a_document_waits_for_the_one_before),
        TEST(an_alarm_overtakes_a_full_window),
        TEST(telemetry_waits_while_an_alarm_is_read),
        TEST(bulk_in_flight_is_bounded_in_bytes),
        TEST(after_an_outage_live_first_and_the_rest_at_its_pace),
        TEST(a_short_gap_is_made_up_in_order),
        TEST(filters_leave_out_and_the_cursor_goes_on),
        TEST(left_out_records_wait_for_the_message_before_them),
        TEST(a_full_list_of_ranges_comes_to_an_end),
        TEST(telemetry_off_sends_and_owes_none),
        TEST(unstored_alarms_go_at_once_and_a_few_wait),
        TEST(a_refused_message_is_told_and_sent_again),
        TEST(a_transport_that_takes_nothing_is_asked_again),
        TEST(kicked_after_connack_backs_off),
        TEST(a_mute_broker_is_given_up_and_tried_again),
        TEST(a_small_receive_maximum_is_kept),
        TEST(a_stop_flushes_says_goodbye_and_leaves_no_will),
        TEST(a_stop_is_bounded),
        TEST(a_stop_without_a_connection_is_done),
        TEST(what_is_gone_is_not_asked_for),
        TEST(a_busy_or_broken_store_is_asked_again),
        TEST(cursors_are_kept_once_a_second),
        TEST(a_cursor_beyond_the_store_skips_nothing),
        TEST(unsynced_records_are_told),
        TEST(the_password_is_read_for_every_try),
        TEST(a_transport_that_cannot_be_made_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
