/* LINK rg_uplink rg_base */
/* Where an answer may go, and the queue of those that wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "uplink/reply.h"

static void topics(void **state)
{
    static const struct {
        const char *topic;
        bool good;
    } rows[] = {
        {"answers/1", true},
        {"平台/回复", true},
        {"a", true},
        {" ", true},
        {"/", true},
        {"\xf0\x9f\x9a\xa8", true},
        {"\xef\xbf\xbd", true}, /* U+FFFD is a character */
        {"r/v1/E/gw-01/reply", true},
        {"r/v1/E/gw-01/reply/7", true},
        {"r/v1/E/gw-011/alarm", true}, /* somebody else's root */
        {"r/v1/E/gw", true},
        {"", false},
        {"a/+", false},
        {"a/#", false},
        {"+", false},
        {"#", false},
        {"$SYS/x", false},
        {"$share/a/b", false},
        {"a\nb", false},
        {"a\x7f", false},
        {"a\xc2\x80", false}, /* C1 */
        {"a\xc3", false},     /* cut */
        {"\xff", false},
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xc0\x80", false},         /* overlong */
        {"\xef\xb7\x90", false},     /* U+FDD0 */
        {"\xef\xbf\xbf", false},     /* U+FFFF */
        {"\xf0\x9f\xbf\xbe", false}, /* U+1FFFE */
        {"r/v1/E/gw-01", false},
        {"r/v1/E/gw-01/", false},
        {"r/v1/E/gw-01/command", false},
        {"r/v1/E/gw-01/alarm", false},
        {"r/v1/E/gw-01/state", false},
        {"r/v1/E/gw-01/replyx", false},
    };
    char longest[UPLINK_TOPIC_BYTES + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (reply_topic_good(rows[i].topic, "r/v1/E/gw-01") != rows[i].good)
            fail_msg("row %zu: %s", i, rows[i].topic);
    memset(longest, 'x', sizeof(longest));
    longest[UPLINK_TOPIC_BYTES + 1] = '\0';
    assert_false(reply_topic_good(longest, "r"));
    longest[UPLINK_TOPIC_BYTES] = '\0';
    assert_true(reply_topic_good(longest, "r"));
}

static void they_go_in_order_and_are_bounded(void **state)
{
    static char large[UPLINK_REPLY_BYTES + 1];
    struct replies q = {0};

    (void)state;
    assert_null(replies_next(&q));
    assert_int_equal(replies_push(&q, NULL, NULL, 0, large, sizeof(large)), RG_ERANGE);
    assert_int_equal(replies_push(&q, NULL, large, UPLINK_CORRELATION_BYTES + 1, "", 0), RG_ERANGE);
    for (unsigned i = 0; i < UPLINK_REPLIES; i++) {
        const char text[2] = {(char)('!' + i), '\0'};

        assert_int_equal(replies_push(&q, i % 2 ? "a" : NULL, "c\0r", 3, text, 1), RG_OK);
    }
    assert_int_equal(replies_push(&q, NULL, NULL, 0, "x", 1), RG_EFULL);
    assert_int_equal(q.dropped, 3);
    for (unsigned i = 0; i < UPLINK_REPLIES; i++) {
        struct reply *r = replies_next(&q);

        assert_int_equal(r->text[0], '!' + (char)i);
        assert_int_equal(r->length, 1);
        assert_int_equal(r->correlation_length, 3);
        assert_memory_equal(r->correlation, "c\0r", 3);
        assert_int_equal(r->topic != NULL, i % 2);
        r->token = 100 + i;
    }
    assert_null(replies_next(&q));
    replies_ack(&q, 0);
    replies_ack(&q, 99);
    replies_ack(&q, 101);
    assert_int_equal(q.count, UPLINK_REPLIES - 1);
    replies_refused(&q, 103); /* goes to the topic `reply` then */
    assert_int_equal(replies_next(&q)->text[0], '!' + 3);
    assert_null(replies_next(&q)->topic);
    assert_memory_equal(replies_next(&q)->correlation, "c\0r", 3);
    replies_retry_all(&q);
    assert_int_equal(replies_next(&q)->text[0], '!');
    assert_int_equal(replies_push(&q, "t", NULL, 0, "", 0), RG_OK);
    replies_clear(&q);
    assert_int_equal(q.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics),
        cmocka_unit_test(they_go_in_order_and_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
