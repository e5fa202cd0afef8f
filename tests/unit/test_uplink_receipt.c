/* LINK rg_uplink rg_base */
/* The arithmetic of receipts, and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "uplink/cursor.h"
#include "uplink/receipt.h"

static const struct cursor from_nothing;

/* Sent and acknowledged by the broker. */
static void send(struct receipt *r, struct cursor *c, int64_t from, int64_t to)
{
    receipt_sent(r, from, to, to);
    cursor_done(c, from, to);
}

static void a_receipt_moves_what_counts(void **state)
{
    struct receipt r;
    struct cursor c = {0};

    (void)state;
    receipt_init(&r, &from_nothing, 0, 0);
    send(&r, &c, 1, 10);
    assert_int_equal(r.held.acked, 0); /* the broker's word is not the platform's */
    assert_int_equal(receipt_take(&r, &c, 4, 5), RECEIPT_MOVED);
    assert_int_equal(r.held.acked, 4);
    assert_int_equal(receipt_take(&r, &c, 4, 6), RECEIPT_KNOWN);
    assert_int_equal(receipt_take(&r, &c, 3, 7), RECEIPT_OLD);
    assert_int_equal(receipt_take(&r, &c, 11, 8), RECEIPT_REFUSED);
    assert_int_equal(receipt_take(&r, &c, INT64_MAX, 8), RECEIPT_REFUSED);
    assert_int_equal(receipt_take(&r, &c, 10, 9), RECEIPT_MOVED);
    assert_int_equal(r.held.acked, 10);
    assert_false(receipt_waits(&r, &c));
}

static void it_may_come_before_the_broker_has_acknowledged(void **state)
{
    struct receipt r;
    struct cursor c = {0};

    (void)state;
    receipt_init(&r, &from_nothing, 0, 0);
    receipt_sent(&r, 1, 5, 5);
    assert_int_equal(receipt_take(&r, &c, 5, 1), RECEIPT_MOVED);
    assert_int_equal(c.acked, 5); /* nothing of it is sent again */
}

static void what_was_never_sent_cannot_be_stored(void **state)
{
    struct receipt r;
    struct cursor c = {0};

    (void)state;
    receipt_init(&r, &from_nothing, 0, 0);
    cursor_defer(&c, 100); /* an outage: 1 to 100 are back-fill to come */
    send(&r, &c, 101, 105);
    assert_int_equal(receipt_take(&r, &c, 105, 1), RECEIPT_REFUSED);
    send(&r, &c, 1, 50);
    assert_int_equal(receipt_take(&r, &c, 51, 2), RECEIPT_REFUSED);
    assert_int_equal(receipt_take(&r, &c, 50, 3), RECEIPT_MOVED);
    send(&r, &c, 51, 100);
    assert_int_equal(receipt_take(&r, &c, 105, 4), RECEIPT_MOVED);
    assert_int_equal(r.held.acked, 105);
    assert_int_equal(c.acked, 105);
    assert_int_equal(c.range_count, 0);
}

static void what_the_run_before_sent_may_be_stored(void **state)
{
    const struct cursor kept = {.acked = 20};
    struct receipt r;
    struct cursor c = kept;

    (void)state;
    receipt_init(&r, &kept, 50, 0);
    assert_int_equal(receipt_take(&r, &c, 51, 1), RECEIPT_REFUSED);
    assert_int_equal(receipt_take(&r, &c, 50, 1), RECEIPT_MOVED);
    assert_int_equal(c.acked, 50);
}

static void records_that_a_filter_leaves_out_are_passed_over(void **state)
{
    struct receipt r;
    struct cursor c = {0};

    (void)state;
    receipt_init(&r, &from_nothing, 0, 0);
    assert_true(receipt_skipped(&r, 1, 3)); /* nothing meant for it before the first */
    assert_int_equal(r.held.acked, 3);
    receipt_sent(&r, 4, 9, 7); /* 8 and 9 are not meant for it */
    cursor_done(&c, 1, 9);
    assert_int_equal(receipt_take(&r, &c, 6, 1), RECEIPT_MOVED);
    assert_int_equal(r.held.acked, 6);
    assert_false(receipt_skipped(&r, 10, 12));
    assert_int_equal(receipt_take(&r, &c, 7, 2), RECEIPT_MOVED);
    assert_int_equal(r.held.acked, 12);
    assert_int_equal(receipt_take(&r, &c, 7, 3), RECEIPT_KNOWN); /* its last record is its last */
    assert_int_equal(receipt_take(&r, &c, 6, 3), RECEIPT_OLD);
    cursor_done(&c, 1, 12);
    assert_false(receipt_waits(&r, &c));
    assert_true(receipt_skipped(&r, 13, 13));
    assert_int_equal(r.held.acked, 13);
}

static void what_is_asked_for_again_is_owed_until_it_was_sent(void **state)
{
    const struct cursor kept = {.acked = 100};
    struct receipt r;
    struct cursor c = kept;

    (void)state;
    receipt_init(&r, &kept, 100, 0);
    receipt_owe(&r, 10, 20);
    cursor_owe(&c, 10, 20);
    assert_int_equal(cursor_pending(&r.held, 100), 11);
    assert_int_equal(receipt_take(&r, &c, 100, 1), RECEIPT_KNOWN); /* that is what it said before it asked */
    cursor_done(&c, 10, 14);
    assert_true(receipt_waits(&r, &c));
    assert_int_equal(receipt_take(&r, &c, 100, 2), RECEIPT_MOVED);
    assert_int_equal(cursor_pending(&r.held, 100), 6);
    assert_int_equal(receipt_take(&r, &c, 12, 2), RECEIPT_OLD);
    cursor_done(&c, 15, 17);
    assert_int_equal(receipt_take(&r, &c, 16, 2),
                     RECEIPT_MOVED); /* a platform that goes through it once more */
    assert_int_equal(cursor_pending(&r.held, 100), 4);
    cursor_done(&c, 15, 20);
    receipt_sent(&r, 101, 102, 102);
    assert_int_equal(receipt_take(&r, &c, 102, 3), RECEIPT_MOVED);
    assert_int_equal(cursor_pending(&r.held, 102), 0);
}

static void what_is_asked_for_and_not_meant_is_not_waited_for(void **state)
{
    const struct cursor kept = {.acked = 100};
    struct receipt r;
    struct cursor c = kept;

    (void)state;
    receipt_init(&r, &kept, 100, 0);
    receipt_owe(&r, 10, 40);
    cursor_owe(&c, 10, 40);
    assert_true(receipt_skipped(&r, 10, 20));
    assert_int_equal(cursor_pending(&r.held, 100), 20);
    receipt_sent(&r, 21, 40, 30);
    assert_int_equal(cursor_pending(&r.held, 100), 10);
    assert_false(receipt_skipped(&r, 50, 60));
    assert_int_equal(r.held.acked, 100);
}

static void what_no_receipt_comes_for_is_owed_again(void **state)
{
    struct receipt r;
    struct cursor c = {0};

    (void)state;
    receipt_init(&r, &from_nothing, 0, 0);
    assert_int_equal(receipt_look(&r, &c, false, 5000), INT64_MAX); /* nothing is waited for */
    send(&r, &c, 1, 10);
    assert_int_equal(receipt_look(&r, &c, false, 6000), 5000 + RECEIPT_PATIENCE_MS);
    assert_int_equal(receipt_take(&r, &c, 3, 10000), RECEIPT_MOVED);
    assert_int_equal(receipt_look(&r, &c, false, 20000), 10000 + RECEIPT_PATIENCE_MS);
    assert_int_equal(receipt_look(&r, &c, false, 10000 + RECEIPT_PATIENCE_MS), 10000 + RECEIPT_PATIENCE_MS);
    receipt_again(&r, &c, 70000);
    assert_int_equal(c.acked, 10);
    assert_int_equal(c.range_count, 1);
    assert_int_equal(c.ranges[0].first, 4);
    assert_int_equal(c.ranges[0].last, 10);
    /* While it is on its way patience does not run, and then it is twice as long. */
    assert_int_equal(receipt_look(&r, &c, true, 90000), 90000 + 2 * RECEIPT_PATIENCE_MS);
    cursor_done(&c, 4, 10);
    assert_int_equal(receipt_look(&r, &c, true, 100000), 100000 + 2 * RECEIPT_PATIENCE_MS);
    for (int i = 0; i < 20; i++)
        receipt_again(&r, &c, 200000);
    assert_int_equal(r.patience_ms, RECEIPT_PATIENCE_CAP_MS);
    assert_int_equal(receipt_take(&r, &c, 4, 300000), RECEIPT_MOVED);
    assert_int_equal(r.patience_ms, RECEIPT_PATIENCE_MS);
}

static void what_is_gone_is_not_waited_for(void **state)
{
    struct receipt r;
    struct cursor c = {0};

    (void)state;
    receipt_init(&r, &from_nothing, 0, 0);
    cursor_defer(&c, 100);
    send(&r, &c, 101, 110);
    cursor_done(&c, 1, 100);
    receipt_forgo(&r, 100); /* never sent, never to be */
    assert_int_equal(r.held.acked, 100);
    assert_int_equal(receipt_take(&r, &c, 110, 1), RECEIPT_MOVED);
}

static void text(void **state)
{
    static const struct {
        const char *text;
        bool good;
        enum stream stream;
        int64_t upto;
    } rows[] = {
        {"{\"stream\":\"alarm\",\"upto\":1}", true, STREAM_ALARM, 1},
        {" { \"upto\" : 9007199254740991 , \"stream\" : \"telemetry\" } ", true, STREAM_TELEMETRY,
         9007199254740991},
        {"{\"stream\":\"event\",\"upto\":7}", true, STREAM_EVENT, 7},
        {"{\"stream\":\"report\",\"upto\":7}", true, STREAM_REPORT, 7},
        {"", false, 0, 0},
        {"null", false, 0, 0},
        {"[]", false, 0, 0},
        {"[\"alarm\",1]", false, 0, 0},
        {"{}", false, 0, 0},
        {"{\"stream\":\"alarm\"}", false, 0, 0},
        {"{\"upto\":1}", false, 0, 0},
        {"{\"stream\":\"alarms\",\"upto\":1}", false, 0, 0},
        {"{\"stream\":\"Alarm\",\"upto\":1}", false, 0, 0},
        {"{\"stream\":0,\"upto\":1}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":\"1\"}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":0}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":-1}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":1.5}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":9007199254740993}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":1e400}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":null}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":true}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":1,\"id\":1}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":1,\"upto\":2}", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":1} x", false, 0, 0},
        {"{\"stream\":\"alarm\",\"upto\":1", false, 0, 0},
    };
    char large[RECEIPT_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum stream stream = STREAM_COUNT;
        int64_t upto = 0;
        const bool good = receipt_parse(rows[i].text, strlen(rows[i].text), &stream, &upto);

        if (good != rows[i].good || (good && (stream != rows[i].stream || upto != rows[i].upto)))
            fail_msg("%s", rows[i].text);
    }
    memset(large, ' ', sizeof(large));
    memcpy(large, rows[0].text, strlen(rows[0].text));
    {
        enum stream stream = STREAM_COUNT;
        int64_t upto = 0;

        assert_true(receipt_parse(large, RECEIPT_BYTES, &stream, &upto));
        assert_false(receipt_parse(large, RECEIPT_BYTES + 1, &stream, &upto));
        assert_false(receipt_parse(NULL, 20, &stream, &upto));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_moves_what_counts),
        cmocka_unit_test(it_may_come_before_the_broker_has_acknowledged),
        cmocka_unit_test(what_was_never_sent_cannot_be_stored),
        cmocka_unit_test(what_the_run_before_sent_may_be_stored),
        cmocka_unit_test(records_that_a_filter_leaves_out_are_passed_over),
        cmocka_unit_test(what_is_asked_for_again_is_owed_until_it_was_sent),
        cmocka_unit_test(what_is_asked_for_and_not_meant_is_not_waited_for),
        cmocka_unit_test(what_no_receipt_comes_for_is_owed_again),
        cmocka_unit_test(what_is_gone_is_not_waited_for),
        cmocka_unit_test(text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
