/* LINK rg_modbus -Wl,--wrap=tcdrain; LABEL tsan */
/* What is written to a serial port is not on the line yet. Here the port takes its time, and both the wait for the answer and
 * the silence before the next request are counted from when its last byte went out, not from when it was written. */
#include <time.h>

#include "modbus_peer.h"

#define DRAIN_MS 700
#define SHORT_MS 500 /* a time-out that would run out before the port has sent all */

static atomic_llong drained_us; /* when the last request was on the line; 0: not yet */

int __wrap_tcdrain(int fd);

/* The port of a slow line, played: termios(3) says that it returns when all has been sent. */
int __wrap_tcdrain(int fd)
{
    struct timespec left = {0, DRAIN_MS * 1000000L};

    (void)fd;
    while (nanosleep(&left, &left) != 0) {
    }
    atomic_store(&drained_us, clock_mono_us());
    return 0;
}

/* A pty hands bytes over when they are written; a device would have them when they have been sent. */
static void serve_when_sent(struct peer *p, const struct request *r)
{
    const int64_t give_up_us = clock_mono_us() + PATIENT_MS * 1000;

    while (atomic_load(&drained_us) == 0 && clock_mono_us() < give_up_us)
        (void)poll(NULL, 0, 1);
    answer(p, r);
}

static struct driver_link *open_link(struct peer *p, serve_cb *serve)
{
    struct driver_link *link = NULL;

    atomic_store(&drained_us, 0);
    peer_start_seeded(p, BUS_RTU, serve, 1);
    assert_int_equal(link_create(&p->bus, &link), RG_OK);
    return link;
}

static void end(struct peer *p, struct driver_link *link)
{
    link_destroy(link);
    peer_halt(p);
    peer_close(p);
}

static void the_wait_for_an_answer_begins_when_the_request_is_out(void **state)
{
    const struct ask ask = {.unit = 1, .function = 3, .address = 0, .count = 2, .limit = 125};
    struct link_answer got;
    struct peer p;
    struct driver_link *link = open_link(&p, serve_when_sent);

    (void)state;
    link_ask(link, &ask, SHORT_MS, &got);
    assert_int_equal(got.result, DRIVER_OK);
    assert_true(atomic_load(&drained_us) > 0);
    end(&p, link);
}

static void the_silence_begins_when_the_last_byte_is_out(void **state)
{
    const uint16_t on = 1;
    const struct ask all = {.unit = 0, .function = 5, .address = 0, .count = 1, .limit = 1, .values = &on};
    const struct ask ask = {.unit = 1, .function = 3, .address = 0, .count = 2, .limit = 125};
    struct link_answer got;
    struct peer p;
    struct driver_link *link = open_link(&p, answer);
    int64_t sent_us;

    (void)state;
    link_ask(link, &all, SHORT_MS, &got);
    assert_int_equal(got.result, DRIVER_OK);
    sent_us = atomic_load(&drained_us);
    link_ask(link, &ask, PATIENT_MS, &got);
    assert_int_equal(got.result, DRIVER_OK);
    assert_true(sent_us > 0);
    assert_true(atomic_load(&p.asked_us) >= sent_us + LINK_TURNAROUND_US);
    end(&p, link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_for_an_answer_begins_when_the_request_is_out),
        cmocka_unit_test(the_silence_begins_when_the_last_byte_is_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
