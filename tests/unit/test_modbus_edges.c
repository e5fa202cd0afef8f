/* LINK rg_modbus; LABEL tsan */
/* What a link does at its edges: gaps longer than the time-out, answers that come in two halves, a line whose
 * adapter hangs, a line that another program uses, many links in one process. */
#include <dlfcn.h>
#include <netdb.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "modbus_peer.h"

/* ---- these stand before the C library's ---- */

static atomic_int settings;   /* tcsetattr was called so often */
static atomic_bool hung;      /* the line takes no bytes */
static atomic_bool name_mute; /* the name server does not answer */
static atomic_int looked_up;  /* names, to the end */
static atomic_int held;       /* calls that hung */

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*const real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(
            RTLD_NEXT, "getaddrinfo");
    int rc;

    if (strcmp(host, "detector.example") != 0)
        return real(host, service, hints, out);
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    (void)atomic_fetch_add(&held, atomic_load(&name_mute) ? 1 : 0);
    while (atomic_load(&name_mute))
        (void)poll(NULL, 0, 1);
    rc = real("127.0.0.1", service, hints, out);
    (void)atomic_fetch_add(&looked_up, 1);
    return rc;
}

int tcsetattr(int fd, int when, const struct termios *to)
{
    int (*const real)(int, int, const struct termios *) =
        (int (*)(int, int, const struct termios *))dlsym(RTLD_NEXT, "tcsetattr");

    (void)atomic_fetch_add(&settings, 1);
    return real(fd, when, to);
}

int tcdrain(int fd)
{
    int (*const real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "tcdrain");

    while (atomic_load(&hung))
        (void)poll(NULL, 0, 1);
    return real(fd);
}

int ioctl(int fd, unsigned long request, ...)
{
    int (*const real)(int, unsigned long, void *) =
        (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
    va_list args;
    void *at;

    va_start(args, request);
    at = va_arg(args, void *);
    va_end(args);
    if (request == TIOCOUTQ && atomic_load(&hung)) {
        (void)atomic_fetch_add(&held, 1);
        *(int *)at = 8;
        return 0;
    }
    return real(fd, request, at);
}

/* ---- tests ---- */

static void a_gap_longer_than_the_time_out(void **state)
{
    (void)state;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;

        peer_start(&p, kinds[k], answer);
        p.bus.gap_ms = LOADED_MS + 100;
        l = link_for(&p);
        for (int i = 0; i < 3; i++) {
            const int64_t before = atomic_load(&p.answered_us);
            const struct link_answer a = ask_for(l, &four, LOADED_MS);

            expect_fresh(&a, &p);
            assert_true(i == 0 || atomic_load(&p.asked_us) - before >= p.bus.gap_ms * 1000);
        }
        link_destroy(l);
        peer_stop(&p);
    }
}

/* Silent at first; the second request is answered behind the other half of the first one's answer, which has
 * the form of an answer to the second. */
static void serve_second_half(struct peer *p, const struct request *r)
{
    const uint8_t forged[] = {(uint8_t)(r->transaction >> 8),
                              (uint8_t)r->transaction,
                              0,
                              0,
                              0,
                              11,
                              r->unit,
                              r->function,
                              8,
                              0xDE,
                              0xAD,
                              0xDE,
                              0xAD,
                              0xDE,
                              0xAD,
                              0xDE,
                              0xAD};

    if (r->nth == 1) {
        atomic_store(&p->late, r->transaction + 1u);
        return;
    }
    if (r->nth == 2)
        put(p, forged, sizeof forged);
    answer(p, r);
}

static void a_late_answer_in_two_halves_is_none(void **state)
{
    const struct ask long_ask = {.unit = 1, .function = 3, .address = 0, .count = 13};
    uint8_t half[18] = {0, 0, 0, 0, 0, 29, 1, 3, 26, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct peer p;
    struct driver_link *l;
    struct link_answer a;
    unsigned late;

    (void)state;
    peer_start(&p, BUS_TCP, serve_second_half);
    l = link_for(&p);
    a = ask_for(l, &long_ask, LOADED_MS);
    expect_result(&a, DRIVER_SILENT);
    assert_int_equal(atomic_load(&p.requests), 1);
    while ((late = atomic_load(&p.late)) == 0)
        (void)sched_yield(); /* the peer has the request, and is about to note it */
    half[0] = (uint8_t)((late - 1) >> 8);
    half[1] = (uint8_t)(late - 1);
    put(&p, half, sizeof half);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    assert_int_equal(atomic_load(&p.connections), 1);
    link_destroy(l);
    peer_stop(&p);
}

struct call {
    struct driver_link *link;
    struct link_answer answer;
};

static void *call_run(void *arg)
{
    struct call *c = arg;

    link_ask(c->link, &four, 60000, &c->answer);
    return NULL;
}

/* Cancels a request that hangs while *stuck. */
static void cancel_call(struct driver_link *l, atomic_bool *stuck)
{
    struct call c = {.link = l};
    const int before = atomic_load(&held);
    pthread_t thread;

    atomic_store(stuck, true);
    assert_int_equal(pthread_create(&thread, NULL, call_run, &c), 0);
    while (atomic_load(&held) == before)
        (void)sched_yield();
    modbus_driver.link_cancel(l);
    assert_int_equal(pthread_join(thread, NULL), 0);
    expect_result(&c.answer, DRIVER_BROKEN);
}

static void a_mute_name_server_holds_nobody(void **state)
{
    struct peer p;
    struct driver_link *l;
    struct link_answer a;
    int64_t begin = clock_mono_us();

    (void)state;
    peer_start(&p, BUS_TCP, answer);
    p.bus.host = "detector.example";
    atomic_store(&name_mute, true);
    l = link_for(&p);
    for (int i = 0; i < 3; i++) {
        a = ask_for(l, &four, QUICK_MS);
        expect_result(&a, DRIVER_UNREACHABLE);
        assert_non_null(strstr(a.detail, "the name server does not answer"));
    }
    assert_true(clock_mono_us() - begin < 20000000);
    /* One lookup, however often it is asked about; its late result is used. */
    atomic_store(&name_mute, false);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    assert_int_equal(atomic_load(&looked_up), 1);
    link_destroy(l);
    /* A link may go while its lookup is under way. */
    atomic_store(&name_mute, true);
    l = link_for(&p);
    a = ask_for(l, &four, QUICK_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    link_destroy(l);
    l = link_for(&p);
    cancel_call(l, &name_mute);
    link_destroy(l);
    atomic_store(&name_mute, false);
    while (atomic_load(&looked_up) < 3)
        (void)sched_yield();
    peer_stop(&p);
}

/* An adapter that has stopped working keeps what was written to it for ever. */
static void a_hung_adapter_holds_nobody(void **state)
{
    struct peer p;
    struct driver_link *l;
    struct link_answer a;

    (void)state;
    peer_start(&p, BUS_RTU, answer);
    l = link_for(&p);
    atomic_store(&hung, true);
    a = ask_for(l, &four, QUICK_MS);
    expect_result(&a, DRIVER_BROKEN);
    assert_string_equal(a.detail, "the line does not take what is sent");
    atomic_store(&hung, false);
    a = ask_for(l, &four, PATIENT_MS);
    expect_result(&a, DRIVER_OK);
    /* And the bus thread can be ended. */
    cancel_call(l, &hung);
    atomic_store(&hung, false);
    link_destroy(l);
    peer_stop(&p);
}

static void a_line_in_use_keeps_its_settings(void **state)
{
    struct peer p;
    struct driver_link *l, *second;
    struct link_answer a;
    int before;

    (void)state;
    peer_start(&p, BUS_RTU, answer);
    l = link_for(&p);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    p.bus.baud = 9600;
    second = link_for(&p);
    before = atomic_load(&settings);
    a = ask_for(second, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_non_null(strstr(a.detail, "in use by another program"));
    assert_int_equal(atomic_load(&settings), before);
    link_destroy(second);
    link_destroy(l);
    peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_longer_than_the_time_out),
        cmocka_unit_test(a_late_answer_in_two_halves_is_none),
        cmocka_unit_test(a_line_in_use_keeps_its_settings),
        cmocka_unit_test(a_hung_adapter_holds_nobody),
        cmocka_unit_test(a_mute_name_server_holds_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
