/* LINK rg_modbus; LABEL tsan */
#include <sched.h>
#include <sys/resource.h>
#include <sys/select.h>

#include "modbus_peer.h"

static void serve_and_close(struct peer *p, const struct request *r)
{
    answer(p, r);
    peer_drop(p, false);
}

static void closed_while_idle(void **state)
{
    struct peer p;
    struct driver_link *l;

    (void)state;
    peer_start(&p, BUS_TCP, serve_and_close);
    l = link_for(&p);
    for (int i = 0; i < 5; i++) {
        const struct link_answer a = ask_for(l, &four, PATIENT_MS);

        expect_fresh(&a, &p);
        /* Were the close overtaken by the next request, that would rightly be DRIVER_BROKEN. */
        while (atomic_load(&p.drops) <= (unsigned)i)
            (void)sched_yield();
    }
    assert_int_equal(atomic_load(&p.connections), 5);
    link_destroy(l);
    peer_stop(&p);
}

static void unreachable(void **state)
{
    struct site_bus bus = {.name = "bus", .kind = BUS_TCP, .host = "127.0.0.1"};
    struct driver_link *l = NULL;
    struct link_answer a;

    (void)state;
    (void)close(listen_local(&bus.port, 1)); /* a port that nobody listens on */
    assert_int_equal(link_create(&bus, &l), RG_OK);
    a = ask_for(l, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_non_null(strstr(a.detail, "connection refused"));
    link_destroy(l);

    bus =
        (struct site_bus){.name = "bus", .kind = BUS_RTU, .path = "/dev/there-is-no-such-line", .baud = 9600};
    assert_int_equal(link_create(&bus, &l), RG_OK);
    a = ask_for(l, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_string_equal(a.detail, "/dev/there-is-no-such-line: no such file or directory");
    link_destroy(l);

    bus.path = "/dev/null"; /* no line at all */
    assert_int_equal(link_create(&bus, &l), RG_OK);
    a = ask_for(l, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    link_destroy(l);

    bus.baud = 12345; /* libmodbus would take it for 9600 */
    assert_int_equal(link_create(&bus, &l), RG_OK);
    a = ask_for(l, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_non_null(strstr(a.detail, "baud rate"));
    link_destroy(l);

    bus.baud = 0;
    assert_int_equal(link_create(&bus, &l), RG_EINVAL);
    link_destroy(NULL);
}

/* The adapter is unplugged and plugged in again: the same path, another device. */
static void line_unplugged(void **state)
{
    struct peer p;
    struct driver_link *l;
    struct link_answer a;

    (void)state;
    peer_start(&p, BUS_RTU, answer);
    l = link_for(&p);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    peer_stop(&p);
    a = ask_for(l, &four, PATIENT_MS);
    assert_true(a.result == DRIVER_BROKEN || a.result == DRIVER_UNREACHABLE);
    a = ask_for(l, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    peer_start(&p, BUS_RTU, answer);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    link_destroy(l);
    peer_stop(&p);
}

static void line_in_use(void **state)
{
    struct peer p;
    struct driver_link *l, *second;
    struct link_answer a;

    (void)state;
    peer_start(&p, BUS_RTU, answer);
    l = link_for(&p);
    second = link_for(&p);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    a = ask_for(second, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_non_null(strstr(a.detail, "in use by another program"));
    link_destroy(l);
    a = ask_for(second, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    link_destroy(second);
    peer_stop(&p);
}

/* A thousand devices and more: nothing waits with select, whose set ends at FD_SETSIZE. */
static void more_files_than_select_knows(void **state)
{
    static int fds[FD_SETSIZE + 8];
    struct rlimit limit;
    struct peer p;
    struct driver_link *l;
    struct link_answer a;
    size_t n = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < FD_SETSIZE + 64)
        skip();
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        peer_start(&p, kinds[k], answer);
        l = link_for(&p);
        while (n == 0 || fds[n - 1] < FD_SETSIZE) {
            fds[n] = fcntl(0, F_DUPFD_CLOEXEC, 3);
            assert_true(fds[n] >= 0);
            n++;
        }
        a = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&a, &p);
        while (n > 0)
            (void)close(fds[--n]);
        link_destroy(l);
        peer_stop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_while_idle),
        cmocka_unit_test(unreachable),
        cmocka_unit_test(line_unplugged),
        cmocka_unit_test(line_in_use),
        cmocka_unit_test(more_files_than_select_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
