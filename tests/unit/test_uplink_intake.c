/* LINK rg_uplink rg_test_support rg_loop_virtual rg_base */
/* What a platform sends: receipts and requests; and what it gets for them. */
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

static void start_with(bool receipts, unsigned may)
{
    w.conf.receipts = receipts;
    w.conf.may = may;
    world_start(&w);
    world_run(&w, 1000);
    assert_true(world_stats(&w).connected);
}

/* ---- subscriptions ---- */

static void only_what_is_wanted_is_subscribed_to(void **state)
{
    (void)state;
    start_with(false, 0);
    assert_int_equal(w.broker->subscriptions, 0);
    world_kill(&w);
    start_with(true, 0);
    assert_false(w.broker->subscribed[TRANSPORT_COMMAND]);
    assert_true(w.broker->subscribed[TRANSPORT_RECEIPT]);
    assert_string_equal(w.broker->topics[TRANSPORT_RECEIPT], "riskgate/v1/E/gw-01/receipt");
    world_kill(&w);
    start_with(false, SITE_MAY_ACK);
    assert_true(w.broker->subscribed[TRANSPORT_COMMAND]);
    assert_false(w.broker->subscribed[TRANSPORT_RECEIPT]);
    assert_string_equal(w.broker->topics[TRANSPORT_COMMAND], "riskgate/v1/E/gw-01/command");
    support_broker_cut(w.broker); /* and after every connect */
    world_run(&w, 5000);
    assert_true(w.broker->subscribed[TRANSPORT_COMMAND]);
}

static void a_refused_subscription_is_told_and_tried_again(void **state)
{
    unsigned after_a_minute;

    (void)state;
    w.broker->refuse_subscriptions = true;
    start_with(true, 0);
    assert_non_null(strstr(world_stats(&w).detail, "cannot subscribe to receipt: not authorized"));
    assert_int_equal(w.notes, 1);
    assert_string_equal(w.note, world_stats(&w).detail);
    world_add(&w, STREAM_ALARM, 1); /* whatever else it does goes on */
    world_run(&w, 1000);
    assert_int_equal(w.seen[STREAM_ALARM][1].times, 1);
    world_run(&w, 59000);
    after_a_minute = w.broker->subscriptions;
    assert_in_range(after_a_minute, 3, 12);
    assert_in_range(w.notes, 1, 2);
    w.broker->refuse_subscriptions = false;
    world_run(&w, 31000);
    assert_true(w.broker->subscribed[TRANSPORT_RECEIPT]);
    assert_string_equal(world_stats(&w).detail, "");
    assert_int_equal(w.ups, 1);
}

static void a_subscription_without_an_answer_is_told_and_tried_again(void **state)
{
    (void)state;
    w.broker->mute_subscriptions = true;
    start_with(false, SITE_MAY_READ);
    assert_int_equal(w.broker->subscriptions, 1);
    world_run(&w, 40000);
    assert_true(w.broker->subscriptions >= 2);
    assert_non_null(strstr(world_stats(&w).detail, "cannot subscribe to command: no answer"));
    w.broker->mute_subscriptions = false;
    world_run(&w, 120000);
    assert_true(w.broker->subscribed[TRANSPORT_COMMAND]);
}

/* ---- receipts ---- */

static void the_brokers_word_is_not_the_platforms(void **state)
{
    (void)state;
    start_with(true, 0);
    world_add(&w, STREAM_ALARM, 3);
    world_add(&w, STREAM_TELEMETRY, 10);
    world_run(&w, 2000);
    assert_int_equal(world_stats(&w).in_flight, 0);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 3);
    assert_int_equal(world_stats(&w).pending[STREAM_TELEMETRY], 10);
    assert_int_equal(w.saved[STREAM_ALARM].acked, 0);
    assert_true(world_receipt(&w, STREAM_ALARM, 2));
    world_run(&w, 2000);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 1);
    assert_int_equal(w.saved[STREAM_ALARM].acked, 2);
    assert_int_equal(world_stats(&w).receipts, 1);
    assert_int_equal(world_stats(&w).receipts_refused, 0);
}

static void after_a_reconnect_all_that_has_no_receipt_comes_again(void **state)
{
    (void)state;
    start_with(true, 0);
    world_add(&w, STREAM_ALARM, 5);
    world_add(&w, STREAM_TELEMETRY, 5);
    world_run(&w, 1000);
    assert_true(world_receipt(&w, STREAM_ALARM, 3));
    world_run(&w, 1000);
    support_broker_cut(w.broker);
    world_run(&w, 5000);
    assert_int_equal(w.seen[STREAM_ALARM][3].times, 1);
    assert_int_equal(w.seen[STREAM_ALARM][4].times, 2);
    assert_int_equal(w.seen[STREAM_ALARM][5].times, 2);
    assert_int_equal(w.seen[STREAM_TELEMETRY][1].times, 2);
    world_kill(&w);
    start_with(true, 0); /* a restart */
    assert_int_equal(w.seen[STREAM_ALARM][3].times, 1);
    assert_int_equal(w.seen[STREAM_ALARM][4].times, 3);
    assert_true(world_receipt(&w, STREAM_ALARM, 5));
    assert_true(world_receipt(&w, STREAM_TELEMETRY, 5));
    world_run(&w, 2000);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 0);
    assert_int_equal(w.saved[STREAM_TELEMETRY].acked, 5);
}

static void what_makes_no_sense_is_counted_and_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "{}",
        "{\"stream\":\"alarm\",\"upto\":4}", /* three were sent */
        "{\"stream\":\"alarm\",\"upto\":-1}",
        "{\"stream\":\"state\",\"upto\":1}",
        "{\"stream\":\"event\",\"upto\":1}", /* none were sent */
        "{\"stream\":\"alarm\",\"upto\":2,\"more\":1}",
    };
    struct support_incoming kept = {.id = TRANSPORT_RECEIPT,
                                    .payload = "{\"stream\":\"alarm\",\"upto\":1}",
                                    .length = 27,
                                    .retained = true};

    (void)state;
    start_with(true, 0);
    world_add(&w, STREAM_ALARM, 3);
    world_run(&w, 1000);
    for (size_t i = 0; i < RG_COUNT(texts); i++)
        assert_true(world_send(&w, TRANSPORT_RECEIPT, texts[i]));
    assert_true(support_broker_send(w.broker, &kept));
    kept.retained = false;
    kept.payload = NULL;
    kept.length = 1 << 20;
    assert_true(support_broker_send(w.broker, &kept));
    world_run(&w, 1000);
    assert_int_equal(world_stats(&w).receipts_refused, RG_COUNT(texts) + 2);
    assert_int_equal(world_stats(&w).receipts, 0);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 3);
    assert_int_equal(w.notes, 1); /* one complaint, not ten */
    assert_non_null(strstr(w.note, "receipt"));
}

static void a_receipt_counts_for_what_a_filter_left_out_behind_it(void **state)
{
    (void)state;
    w.conf.alarms_from = LEVEL_RED;
    start_with(true, 0);
    world_commit(&w, STREAM_ALARM, 10);
    for (int64_t seq = 1; seq <= 10; seq++)
        if (seq % 4 != 0)
            w.records[STREAM_ALARM][seq].level = LEVEL_BLUE; /* 4 and 8 are meant for it */
    uplink_head(w.uplink, w.head);
    world_run(&w, 1000);
    assert_true(world_receipt(&w, STREAM_ALARM, 8));
    world_run(&w, 1000);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 0);
    world_commit(&w, STREAM_ALARM, 1);
    w.records[STREAM_ALARM][11].level = LEVEL_BLUE;
    uplink_head(w.uplink, w.head);
    world_run(&w, 1000);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 0);
}

static void receipts_that_do_not_come_bring_it_again_but_never_a_storm(void **state)
{
    unsigned before;

    (void)state;
    w.conf.backfill_rate = 100;
    start_with(true, 0);
    world_add(&w, STREAM_ALARM, 2);
    world_add(&w, STREAM_TELEMETRY, 50);
    world_run(&w, 55000);
    assert_int_equal(w.seen[STREAM_ALARM][1].times, 1);
    assert_string_equal(world_stats(&w).detail, "");
    world_run(&w, 10000);
    assert_int_equal(w.seen[STREAM_ALARM][1].times, 2);
    assert_int_equal(w.seen[STREAM_TELEMETRY][50].times, 2);
    assert_non_null(strstr(world_stats(&w).detail, "no receipt for"));
    assert_int_equal(w.notes, 1);
    world_run(&w, 24 * 3600 * 1000LL);
    assert_in_range(w.seen[STREAM_ALARM][1].times, 20, 33); /* once an hour at last */
    before = w.seen[STREAM_ALARM][2].times;
    assert_true(world_receipt(&w, STREAM_ALARM, 1));
    world_run(&w, 50000);
    assert_string_equal(world_stats(&w).detail, "");
    assert_true(w.seen[STREAM_ALARM][2].times <= before + 1);
    world_run(&w, 30000); /* progress: patience is short again */
    assert_true(w.seen[STREAM_ALARM][2].times >= before + 1);
    assert_true(world_receipt(&w, STREAM_ALARM, 2));
    assert_true(world_receipt(&w, STREAM_TELEMETRY, 50));
    world_run(&w, 1000);
    support_broker_clear(w.broker);
    world_run(&w, 4 * 3600 * 1000LL);
    assert_int_equal(w.broker->count, 0); /* nothing is owed, nothing is sent */
}

/* With no subscription no receipt can come: patience does not run. */
static void without_a_subscription_nobody_is_impatient(void **state)
{
    (void)state;
    w.broker->refuse_subscriptions = true;
    start_with(true, 0);
    world_add(&w, STREAM_ALARM, 2);
    world_run(&w, 3600 * 1000LL);
    assert_int_equal(w.seen[STREAM_ALARM][1].times, 1);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 2);
}

/* ---- requests and answers ---- */

static void a_request_comes_whole_and_its_answer_goes_where_it_says(void **state)
{
    const struct support_incoming ask = {.id = TRANSPORT_COMMAND,
                                         .payload = "{\"id\":1}",
                                         .length = 8,
                                         .response_topic = "answers/7",
                                         .correlation = "c7",
                                         .correlation_length = 2};
    struct support_incoming strange = ask;

    (void)state;
    start_with(false, SITE_MAY_ACK);
    assert_true(support_broker_send(w.broker, &ask));
    world_run(&w, 100);
    assert_int_equal(w.requests, 1);
    assert_string_equal(w.asked_text, "{\"id\":1}");
    assert_false(w.request.retained);
    assert_int_equal(w.request.correlation_length, 2);
    assert_int_equal(uplink_reply(w.uplink, "answers/7", "c7", 2, "{\"ok\":true}", 11), RG_OK);
    world_run(&w, 100);
    assert_int_equal(w.replies, 1);
    assert_string_equal(w.reply_topic, "answers/7");
    assert_string_equal(w.reply_correlation, "c7");
    assert_string_equal(w.reply, "{\"ok\":true}");
    /* Where nobody may be answered is no response topic. */
    strange.response_topic = "riskgate/v1/E/gw-01/command";
    strange.retained = true;
    assert_true(support_broker_send(w.broker, &strange));
    world_run(&w, 100);
    assert_null(w.request.response_topic);
    assert_true(w.request.retained);
    assert_int_equal(uplink_reply(w.uplink, "a/#", NULL, 0, "{}", 2), RG_OK);
    world_run(&w, 100);
    assert_string_equal(w.reply_topic, "riskgate/v1/E/gw-01/reply");
    strange.payload = NULL;
    strange.length = UPLINK_COMMAND_BYTES + 1;
    assert_true(support_broker_send(w.broker, &strange));
    world_run(&w, 100);
    assert_null(w.request.text);
    assert_int_equal(w.request.length, UPLINK_COMMAND_BYTES + 1);
    assert_int_equal(world_stats(&w).requests, 3);
}

static void with_311_the_answer_goes_to_reply(void **state)
{
    (void)state;
    w.conf.v311 = true;
    start_with(false, SITE_MAY_ACK);
    assert_int_equal(uplink_reply(w.uplink, "answers/7", "c7", 2, "{}", 2), RG_OK);
    world_run(&w, 100);
    assert_string_equal(w.reply_topic, "riskgate/v1/E/gw-01/reply");
}

static void an_answer_survives_the_end_of_the_connection(void **state)
{
    (void)state;
    start_with(false, SITE_MAY_ACK);
    w.broker->delay_ms = 1000;
    assert_int_equal(uplink_reply(w.uplink, "answers/1", NULL, 0, "1", 1), RG_OK);
    world_run(&w, 100);
    support_broker_cut(w.broker); /* it never arrived */
    assert_int_equal(uplink_reply(w.uplink, "answers/2", NULL, 0, "2", 1), RG_OK);
    w.broker->delay_ms = 10;
    world_run(&w, 5000);
    assert_int_equal(w.replies, 2);
    assert_string_equal(w.reply, "2");
    assert_int_equal(world_stats(&w).replies_waiting, 0);
}

static bool refuse_answers(void *arg, const struct support_message *m)
{
    (void)arg;
    return strncmp(m->topic, "answers", 7) == 0;
}

static void an_answer_that_the_broker_forbids_goes_to_reply(void **state)
{
    (void)state;
    w.broker->refuse = refuse_answers;
    start_with(false, SITE_MAY_ACK);
    assert_int_equal(uplink_reply(w.uplink, "answers/1", "c", 1, "1", 1), RG_OK);
    world_run(&w, 5000);
    assert_int_equal(w.replies, 1);
    assert_string_equal(w.reply_topic, "riskgate/v1/E/gw-01/reply");
    assert_string_equal(w.reply_correlation, "c");
}

static void answers_are_bounded_and_no_alarm_waits_for_them(void **state)
{
    unsigned given = 0;

    (void)state;
    start_with(false, SITE_MAY_ACK);
    w.broker->hold_acks = true;
    world_add(&w, STREAM_TELEMETRY, 20000); /* the window is as full as bulk may make it */
    world_run(&w, 1000);
    for (int i = 0; i < 100; i++)
        given += uplink_reply(w.uplink, NULL, NULL, 0, "{}", 2) == RG_OK;
    world_run(&w, 1000);
    assert_int_equal(given, UPLINK_REPLIES);
    assert_int_equal(world_stats(&w).replies_dropped, 100 - UPLINK_REPLIES);
    assert_int_equal(w.replies, 2);
    world_add(&w, STREAM_ALARM, 1);
    world_run(&w, 1000);
    assert_int_equal(w.seen[STREAM_ALARM][1].times, 1);
    support_broker_release(w.broker);
    world_run(&w, 10000);
    assert_int_equal(w.replies, UPLINK_REPLIES);
}

static void a_flood_is_counted(void **state)
{
    struct support_incoming ask = {.id = TRANSPORT_COMMAND, .payload = "{}", .length = 2, .dropped = 500};

    (void)state;
    start_with(false, SITE_MAY_ACK);
    for (int i = 0; i < 50; i++)
        assert_true(support_broker_send(w.broker, &ask));
    world_run(&w, 1000);
    assert_int_equal(world_stats(&w).requests, 50);
    assert_int_equal(world_stats(&w).requests_dropped, 25000);
    assert_int_equal(w.notes, 1);
}

/* ---- back-fill on request ---- */

static void what_is_asked_for_comes_again_at_the_pace(void **state)
{
    struct seq_range out;

    (void)state;
    w.conf.backfill_rate = 100;
    start_with(false, SITE_MAY_BACKFILL);
    for (int s = 0; s < STREAM_COUNT; s++)
        world_add(&w, (enum stream)s, 1000);
    world_run(&w, 60000);
    assert_int_equal(world_stats(&w).pending[STREAM_ALARM], 0);
    for (int s = 0; s < STREAM_COUNT; s++) {
        assert_int_equal(uplink_backfill(w.uplink, (enum stream)s, 201, 500, &out), RG_OK);
        assert_int_equal(out.first, 201);
        assert_int_equal(out.last, 500);
        assert_int_equal(w.saved[s].range_count, 1); /* kept before it returns */
        assert_int_equal(world_stats(&w).pending[s], 300);
    }
    world_run(&w, 5000);
    for (int s = 0, sent = 0; s < STREAM_COUNT; s++) {
        for (int64_t seq = 201; seq <= 500; seq++)
            sent += w.seen[s][seq].times == 2;
        assert_true(sent <= 100 * 6 + 100);
    }
    world_run(&w, 30000);
    for (int s = 0; s < STREAM_COUNT; s++) {
        for (int64_t seq = 1; seq <= 1000; seq++)
            assert_int_equal(w.seen[s][seq].times, seq >= 201 && seq <= 500 ? 2 : 1);
        assert_int_equal(world_stats(&w).pending[s], 0);
    }
}

static void the_same_request_again_costs_nothing(void **state)
{
    struct seq_range out;

    (void)state;
    w.conf.backfill_rate = 50;
    start_with(false, SITE_MAY_BACKFILL);
    world_add(&w, STREAM_TELEMETRY, 1000);
    world_run(&w, 60000);
    for (int i = 0; i < 40; i++) { /* all the time it takes */
        assert_int_equal(uplink_backfill(w.uplink, STREAM_TELEMETRY, 1, 400, &out), RG_OK);
        if (i < 3) /* nor does a part of it that is still to come */
            assert_int_equal(uplink_backfill(w.uplink, STREAM_TELEMETRY, 350, 400, &out), RG_OK);
        if (i == 20)
            assert_int_equal(uplink_backfill(w.uplink, STREAM_TELEMETRY, 1, 400, &out), RG_OK);
        if (world_stats(&w).pending[STREAM_TELEMETRY] <= 100)
            break;
        world_run(&w, 200);
    }
    world_run(&w, 30000);
    for (int64_t seq = 1; seq <= 1000; seq++)
        assert_int_equal(w.seen[STREAM_TELEMETRY][seq].times, seq <= 400 ? 2 : 1);
}

static void it_survives_a_crash(void **state)
{
    struct seq_range out;

    (void)state;
    w.conf.backfill_rate = 20;
    start_with(false, SITE_MAY_BACKFILL);
    world_add(&w, STREAM_EVENT, 100);
    world_run(&w, 5000);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_EVENT, 11, 90, &out), RG_OK);
    world_kill(&w);
    world_start(&w);
    world_run(&w, 30000);
    for (int64_t seq = 11; seq <= 90; seq++)
        assert_true(w.seen[STREAM_EVENT][seq].times >= 2);
    assert_int_equal(world_stats(&w).pending[STREAM_EVENT], 0);
}

static void requests_are_clipped_or_refused(void **state)
{
    struct seq_range out = {0};

    (void)state;
    w.conf.telemetry_send = false;
    start_with(false, SITE_MAY_BACKFILL);
    world_add(&w, STREAM_EVENT, 100);
    world_add(&w, STREAM_TELEMETRY, 100);
    world_run(&w, 5000);
    w.gone[STREAM_EVENT] = 40; /* the retention, once everybody had them */
    assert_int_equal(uplink_backfill(w.uplink, STREAM_EVENT, 0, 5, &out), RG_EINVAL);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_EVENT, 5, 4, &out), RG_EINVAL);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_COUNT, 1, 4, &out), RG_EINVAL);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_EVENT, 1, 40, &out), RG_ENOTFOUND);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_EVENT, 101, INT64_MAX, &out), RG_ENOTFOUND);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_TELEMETRY, 1, 10, &out), RG_ENOTFOUND);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_REPORT, 1, 10, &out), RG_ENOTFOUND);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_EVENT, 1, INT64_MAX, &out), RG_OK);
    assert_int_equal(out.first, 41);
    assert_int_equal(out.last, 100);
    world_run(&w, 5000);
    for (int64_t seq = 1; seq <= 100; seq++)
        assert_int_equal(w.seen[STREAM_EVENT][seq].times, seq > 40 ? 2 : 1);
}

static void many_requests_are_bounded(void **state)
{
    struct seq_range out;

    (void)state;
    w.conf.backfill_rate = 0.001;
    start_with(false, SITE_MAY_BACKFILL);
    world_add(&w, STREAM_TELEMETRY, 10000);
    world_run(&w, 60000);
    for (int64_t i = 1; i <= 1000; i++)
        assert_int_equal(uplink_backfill(w.uplink, STREAM_TELEMETRY, i * 10, i * 10, &out), RG_OK);
    assert_true(w.saved[STREAM_TELEMETRY].range_count <= CURSOR_RANGES);
    w.conf.backfill_rate = 0;
    world_kill(&w);
    world_start(&w);
    world_run(&w, 60000);
    for (int64_t i = 2; i <= 1000; i++)
        assert_true(w.seen[STREAM_TELEMETRY][i * 10].times >= 2);
}

static void with_receipts_it_is_done_when_the_platform_says_so(void **state)
{
    struct seq_range out;

    (void)state;
    start_with(true, SITE_MAY_BACKFILL);
    world_add(&w, STREAM_EVENT, 50);
    world_run(&w, 1000);
    assert_true(world_receipt(&w, STREAM_EVENT, 50));
    world_run(&w, 1000);
    assert_int_equal(uplink_backfill(w.uplink, STREAM_EVENT, 1, 20, &out), RG_OK);
    world_run(&w, 5000);
    assert_int_equal(w.seen[STREAM_EVENT][20].times, 2);
    assert_int_equal(world_stats(&w).pending[STREAM_EVENT], 20);
    assert_true(world_receipt(&w, STREAM_EVENT, 50));
    world_run(&w, 5000);
    assert_int_equal(world_stats(&w).pending[STREAM_EVENT], 0);
    assert_int_equal(w.saved[STREAM_EVENT].range_count, 0);
}

/* ---- watches ---- */

static void count_cb(void *arg)
{
    ++*(unsigned *)arg;
}

static void destroy_cb(void *arg)
{
    (void)arg;
    uplink_destroy(w.uplink);
    w.uplink = NULL;
}

static void a_watch_tells_once_when_a_record_is_done_with(void **state)
{
    unsigned told = 0, other = 0;

    (void)state;
    start_with(true, 0);
    world_add(&w, STREAM_ALARM, 5);
    assert_int_equal(uplink_watch(w.uplink, STREAM_ALARM, 3, count_cb, &told), RG_OK);
    assert_int_equal(uplink_watch(w.uplink, STREAM_ALARM, 4, count_cb, &other), RG_OK);
    world_run(&w, 5000);
    assert_int_equal(told, 0); /* PUBACK is not enough here */
    assert_true(world_receipt(&w, STREAM_ALARM, 3));
    world_run(&w, 1000);
    assert_int_equal(told, 1);
    assert_int_equal(other, 0);
    uplink_unwatch(w.uplink, &other);
    assert_true(world_receipt(&w, STREAM_ALARM, 5));
    world_run(&w, 1000);
    assert_int_equal(told, 1);
    assert_int_equal(other, 0);
    assert_int_equal(uplink_watch(w.uplink, STREAM_ALARM, 5, count_cb, &told), RG_OK);
    assert_int_equal(told, 1); /* never from inside */
    world_run(&w, 10);
    assert_int_equal(told, 2);
    for (int i = 0; i < UPLINK_WATCHES; i++)
        assert_int_equal(uplink_watch(w.uplink, STREAM_ALARM, 100, count_cb, &told), RG_OK);
    assert_int_equal(uplink_watch(w.uplink, STREAM_ALARM, 100, count_cb, &told), RG_EFULL);
    uplink_unwatch(w.uplink, &told);
    assert_int_equal(uplink_watch(w.uplink, STREAM_ALARM, 5, destroy_cb, NULL), RG_OK);
    world_run(&w, 10);
    assert_null(w.uplink);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_wanted_is_subscribed_to),
        TEST(a_refused_subscription_is_told_and_tried_again),
        TEST(a_subscription_without_an_answer_is_told_and_tried_again),
        TEST(the_brokers_word_is_not_the_platforms),
        TEST(after_a_reconnect_all_that_has_no_receipt_comes_again),
        TEST(what_makes_no_sense_is_counted_and_changes_nothing),
        TEST(a_receipt_counts_for_what_a_filter_left_out_behind_it),
        TEST(receipts_that_do_not_come_bring_it_again_but_never_a_storm),
        TEST(without_a_subscription_nobody_is_impatient),
        TEST(a_request_comes_whole_and_its_answer_goes_where_it_says),
        TEST(with_311_the_answer_goes_to_reply),
        TEST(an_answer_survives_the_end_of_the_connection),
        TEST(an_answer_that_the_broker_forbids_goes_to_reply),
        TEST(answers_are_bounded_and_no_alarm_waits_for_them),
        TEST(a_flood_is_counted),
        TEST(what_is_asked_for_comes_again_at_the_pace),
        TEST(the_same_request_again_costs_nothing),
        TEST(it_survives_a_crash),
        TEST(requests_are_clipped_or_refused),
        TEST(many_requests_are_bounded),
        TEST(with_receipts_it_is_done_when_the_platform_says_so),
        TEST(a_watch_tells_once_when_a_record_is_done_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
