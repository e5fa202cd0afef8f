/* LINK rg_uplink rg_base; LABEL tsan */
/* What comes from a platform waits in bounded places, whatever comes and however fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "uplink/inbox.h"
#include "uplink/receipt.h"
#include "uplink/uplink.h"

static struct transport_message command(const char *text)
{
    return (struct transport_message){.id = TRANSPORT_COMMAND, .payload = text, .length = strlen(text)};
}

static struct transport_message receipt(const char *text)
{
    return (struct transport_message){.id = TRANSPORT_RECEIPT, .payload = text, .length = strlen(text)};
}

static void commands_wait_in_order_and_the_rest_is_counted(void **state)
{
    struct inbox *b = inbox_create(true);
    struct transport_message m;
    size_t dropped = 7;

    (void)state;
    assert_non_null(b);
    assert_false(inbox_take(b, &m, &dropped));
    assert_int_equal(dropped, 0);
    for (int i = 0; i < INBOX_COMMANDS + 3; i++) {
        const char text[] = {(char)('a' + i), '\0'};

        m = command(text);
        assert_int_equal(inbox_put(b, &m), i == 0); /* one wake is enough */
    }
    inbox_open(b);
    for (int i = 0; i < INBOX_COMMANDS; i++) {
        assert_true(inbox_take(b, &m, &dropped));
        assert_int_equal(m.id, TRANSPORT_COMMAND);
        assert_int_equal(m.payload[0], 'a' + i);
        assert_int_equal(dropped, i == 0 ? 3 : 0);
    }
    /* The last is lent out still: its place is not given away. */
    for (int i = 0; i < INBOX_COMMANDS; i++) {
        struct transport_message more = command("more");

        (void)inbox_put(b, &more);
    }
    assert_int_equal(m.payload[0], 'a' + INBOX_COMMANDS - 1);
    for (int i = 0; i < INBOX_COMMANDS - 1; i++)
        assert_true(inbox_take(b, &m, &dropped));
    assert_false(inbox_take(b, &m, &dropped));
    inbox_destroy(b);
    inbox_destroy(NULL);
}

static void what_is_too_long_is_noted_without_its_text(void **state)
{
    static char text[UPLINK_COMMAND_BYTES + 1], topic[UPLINK_TOPIC_BYTES + 2],
        data[UPLINK_CORRELATION_BYTES + 1];
    struct inbox *b = inbox_create(true);
    struct transport_message m;
    size_t dropped = 0;

    (void)state;
    memset(text, 'x', sizeof(text));
    memset(topic, 't', sizeof(topic) - 1);
    m = (struct transport_message){.id = TRANSPORT_COMMAND,
                                   .payload = text,
                                   .length = sizeof(text),
                                   .retained = true,
                                   .response_topic = topic,
                                   .correlation = data,
                                   .correlation_length = sizeof(data)};
    (void)inbox_put(b, &m);
    m.length = UPLINK_COMMAND_BYTES;
    m.retained = false;
    m.response_topic = topic + 1;
    m.correlation_length = UPLINK_CORRELATION_BYTES;
    (void)inbox_put(b, &m);
    assert_true(inbox_take(b, &m, &dropped));
    assert_null(m.payload);
    assert_int_equal(m.length, UPLINK_COMMAND_BYTES + 1);
    assert_true(m.retained);
    assert_null(m.response_topic);
    assert_null(m.correlation);
    assert_true(inbox_take(b, &m, &dropped));
    assert_memory_equal(m.payload, text, UPLINK_COMMAND_BYTES);
    assert_string_equal(m.response_topic, topic + 1);
    assert_int_equal(m.correlation_length, UPLINK_CORRELATION_BYTES);
    assert_false(m.retained);
    inbox_destroy(b);
}

static void the_newest_receipt_of_each_stream_stays(void **state)
{
    struct inbox *b = inbox_create(false);
    struct transport_message m;
    size_t dropped = 0;
    char text[64];

    (void)state;
    for (int i = 1; i <= 1000; i++) {
        (void)snprintf(text, sizeof(text), "{\"stream\":\"telemetry\",\"upto\":%d}", i);
        m = receipt(text);
        (void)inbox_put(b, &m);
        m = receipt("nonsense");
        (void)inbox_put(b, &m);
        m = command("x");
        (void)inbox_put(b, &m); /* there is no room for any */
        if (i == 5) {
            m = receipt("{\"stream\":\"alarm\",\"upto\":3}");
            (void)inbox_put(b, &m);
        }
    }
    assert_true(inbox_take(b, &m, &dropped));
    assert_int_equal(dropped, 1000);
    assert_int_equal(m.id, TRANSPORT_RECEIPT);
    assert_memory_equal(m.payload, "{\"stream\":\"alarm\",\"upto\":3}", m.length);
    assert_true(inbox_take(b, &m, &dropped));
    assert_memory_equal(m.payload, "{\"stream\":\"telemetry\",\"upto\":1000}", m.length);
    assert_true(inbox_take(b, &m, &dropped));
    assert_memory_equal(m.payload, "nonsense", m.length);
    assert_false(inbox_take(b, &m, &dropped));
    {
        static char large[RECEIPT_BYTES + 1];

        m = (struct transport_message){.id = TRANSPORT_RECEIPT, .payload = large, .length = sizeof(large)};
        (void)inbox_put(b, &m);
        assert_true(inbox_take(b, &m, &dropped));
        assert_null(m.payload);
    }
    inbox_destroy(b);
}

#define POSTED 20000

static void *post(void *arg)
{
    for (int i = 1; i <= POSTED; i++) {
        char text[64];
        struct transport_message m;

        (void)snprintf(text, sizeof(text), "{\"stream\":\"event\",\"upto\":%d}", i);
        m = receipt(text);
        (void)inbox_put(arg, &m);
        (void)snprintf(text, sizeof(text), "%d", i);
        m = command(text);
        (void)inbox_put(arg, &m);
    }
    return NULL;
}

/* One thread puts, one takes: what was taken or counted is all there was, each whole and in order. */
static void a_flood(void **state)
{
    struct inbox *b = inbox_create(true);
    pthread_t thread;
    size_t accounted = 0;
    long last = 0;
    int64_t upto = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, post, b), 0);
    while (accounted < POSTED || upto < POSTED) {
        struct transport_message m;
        size_t dropped = 0;
        bool taken;

        inbox_open(b);
        taken = inbox_take(b, &m, &dropped);
        accounted += dropped;
        if (taken && m.id == TRANSPORT_COMMAND) {
            char text[16] = "";
            long number;

            assert_true(m.length < sizeof(text));
            memcpy(text, m.payload, m.length);
            number = strtol(text, NULL, 10);
            assert_true(number > last);
            last = number;
            accounted++;
        } else if (taken) {
            enum stream stream = STREAM_COUNT;
            const int64_t before = upto;

            assert_true(receipt_parse(m.payload, m.length, &stream, &upto));
            assert_true(stream == STREAM_EVENT && upto > before);
        }
    }
    assert_int_equal(accounted, POSTED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    inbox_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_wait_in_order_and_the_rest_is_counted),
        cmocka_unit_test(what_is_too_long_is_noted_without_its_text),
        cmocka_unit_test(the_newest_receipt_of_each_stream_stays),
        cmocka_unit_test(a_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
