/* LINK rg_uplink rg_test_support rg_loop rg_base */
/* Paho's sending thread misses a signal: the message goes all the same, though nothing but another signal ever wakes that thread here. This
 * program's own pthread_cond_signal and pthread_cond_timedwait stand before the C library's, for Paho too, the only one here to signal (all else
 * broadcasts). */
#include "paho_rig.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static struct rig rig;
static _Atomic(pthread_cond_t *) signalled; /* Paho's */
static _Atomic bool endless;                /* waits for that one have no end but a signal */
static _Atomic unsigned endless_waits, to_lose, lost;

typedef int (*signal_fn)(pthread_cond_t *);
typedef int (*wait_fn)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

/* Where the architecture is old enough to have two of it, dlsym gives the wrong one. */
static void *next(const char *name)
{
    void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");

    return found ? found : dlsym(RTLD_NEXT, name);
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    static _Atomic(signal_fn) real;
    unsigned left = atomic_load(&to_lose);

    if (!atomic_load(&real))
        atomic_store(&real, (signal_fn)(uintptr_t)next("pthread_cond_signal"));
    atomic_store(&signalled, cond);
    while (left > 0) {
        if (!atomic_compare_exchange_weak(&to_lose, &left, left - 1))
            continue;
        atomic_fetch_add(&lost, 1);
        return 0;
    }
    return atomic_load(&real)(cond);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
    static _Atomic(wait_fn) real;

    if (!atomic_load(&real))
        atomic_store(&real, (wait_fn)(uintptr_t)next("pthread_cond_timedwait"));
    if (!atomic_load(&endless) || cond != atomic_load(&signalled))
        return atomic_load(&real)(cond, mutex, until);
    atomic_fetch_add(&endless_waits, 1);
    return pthread_cond_wait(cond, mutex);
}

static int setup(void **state)
{
    rig_open(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_close(*state);
    return 0;
}

static void goes(struct rig *r, uint64_t token)
{
    const struct transport_publish message = {
        .topic = "t", .payload = "an alarm", .length = strlen("an alarm"), .token = token};
    const unsigned acks = r->acks;

    assert_int_equal(paho_transport.publish(r->transport, &message), RG_OK);
    rig_await(r, &r->acks, acks + 1);
    assert_int_equal(r->acked[token], 1);
}

static void a_lost_signal_delays_little(void **state)
{
    struct rig *r = *state;

    rig_broker_start(r, "allow_anonymous true\n");
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    goes(r, 1);
    assert_non_null(atomic_load(&signalled)); /* or this test sees nothing */
    atomic_store(&endless, true);
    while (atomic_load(&endless_waits) == 0) /* within the second that its wait lasts */
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    for (uint64_t token = 2; token < 6; token++) {
        atomic_store(&to_lose, 1);
        goes(r, token);
        assert_int_equal(atomic_load(&to_lose), 0);
    }
    assert_int_equal(atomic_load(&lost), 4);
    atomic_store(&endless, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lost_signal_delays_little, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
