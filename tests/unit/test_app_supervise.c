/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* What the service manager hears, and when it is not fed any more: a bus or the store that stands still, each for itself. */
#include "app_rig.h"

#include "app/supervise.h"
#include "base/random.h"

#define WATCHDOG_MS 20000
#define EVERY_MS (WATCHDOG_MS / 4)

struct heard {
    struct loop *loop;
    char text[8192];
    size_t fed;
    int64_t fed_ms; /* last */
    bool deaf;      /* it has no room: the manager does not read */
};

/* The disk under the store: while hang_ms is set, a sync takes that long (of the virtual clock). */
static struct loop *disk_loop;
static int64_t hang_ms;

static int hang(void)
{
    if (disk_loop && hang_ms > 0)
        virtual_loop_spend(disk_loop, hang_ms);
    return 0;
}

/* In place of the C library's, for SQLite too: what is really synced does not matter here. */
int fsync(int fd)
{
    (void)fd;
    return hang();
}

int fdatasync(int fd)
{
    (void)fd;
    return hang();
}

static enum rg_err send_cb(void *arg, const char *state)
{
    struct heard *h = arg;

    if (h->deaf)
        return RG_EAGAIN;
    if (strcmp(state, "WATCHDOG=1") == 0) {
        h->fed++;
        h->fed_ms = loop_mono_ms(h->loop);
        return RG_OK;
    }
    assert_true(strlen(h->text) + strlen(state) + 2 < sizeof h->text);
    strcat(h->text, state);
    strcat(h->text, "\n");
    return RG_OK;
}

struct stage {
    struct rig rig;
    struct heard heard;
    struct supervise *supervise;
};

static void stage_begin_with(struct stage *s, const char *text, int64_t watchdog_ms, bool deaf)
{
    const struct supervise_manager manager = {send_cb, &s->heard, watchdog_ms};

    hang_ms = 0;
    s->heard = (struct heard){.deaf = deaf};
    rig_begin(&s->rig, text);
    disk_loop = s->heard.loop = s->rig.loop;
    assert_int_equal(supervise_create(s->rig.loop, &s->rig.pipeline, &manager, &s->supervise), RG_OK);
    supervise_ready(s->supervise);
}

static void stage_begin(struct stage *s, const char *text, int64_t watchdog_ms)
{
    stage_begin_with(s, text, watchdog_ms, false);
}

static void stage_end(struct stage *s)
{
    hang_ms = 0;
    disk_loop = NULL;
    supervise_destroy(s->supervise);
    rig_end(&s->rig);
}

static void test_fed_while_all_gets_on(void **state)
{
    struct stage s;

    (void)state;
    stage_begin(&s, PLANT RULE, WATCHDOG_MS);
    assert_non_null(strstr(
        s.heard.text, "READY=1\nSTATUS=level none; 0 alarms, 0 not acknowledged; 0 of 1 devices answer"));
    pass(&s.rig, 600000);
    assert_int_equal(s.heard.fed, 600000 / EVERY_MS);
    assert_non_null(strstr(s.heard.text, "; 1 of 1 devices answer; 1 of 1 platforms connected\n"));
    supervise_reloading(s.supervise);
    assert_non_null(strstr(s.heard.text, "RELOADING=1\nMONOTONIC_USEC="));
    s.heard.text[0] = '\0';
    supervise_reloaded(s.supervise);
    assert_string_equal(s.heard.text, "READY=1\n"); /* the status is as it was */
    supervise_stopping(s.supervise);
    assert_non_null(strstr(s.heard.text, "STOPPING=1\n"));
    s.heard.fed = 0;
    pass(&s.rig, 60000);
    assert_int_equal(s.heard.fed, 0);
    stage_end(&s);
}

static void test_a_bus_that_does_not_return(void **state)
{
    struct stage s;
    int64_t stuck_ms;

    (void)state;
    stage_begin(&s, PLANT RULE, WATCHDOG_MS);
    pass(&s.rig, 30000);
    s.rig.takes_ms = 150000; /* for each of two points: far beyond its time-out of a second */
    pass(&s.rig, 1000);
    stuck_ms = loop_mono_ms(s.rig.loop);
    s.rig.takes_ms = 0;
    pass(&s.rig, 290000);
    assert_in_range(s.heard.fed_ms - stuck_ms, WATCHDOG_MS - 2 * EVERY_MS, WATCHDOG_MS + 2 * EVERY_MS);
    assert_non_null(strstr(s.heard.text, "STATUS=bus b1 stands still\n"));
    s.heard.fed = 0;
    pass(&s.rig, 60000); /* it came back */
    assert_true(s.heard.fed > 0);
    stage_end(&s);
}

/* What is slow, mute or gone is polled as it should be, and that is all that is asked. */
static void test_sick_devices_are_no_reason(void **state)
{
    static const enum fake_behaviour sick[] = {FAKE_SILENT, FAKE_EXCEPTION, FAKE_MALFORMED, FAKE_BROKEN,
                                               FAKE_UNREACHABLE};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(sick); i++) {
        struct stage s;

        stage_begin(&s, PLANT RULE, WATCHDOG_MS);
        pass(&s.rig, 10000);
        fake_device(s.rig.fake, 0)->behaviour = sick[i];
        s.heard.fed = 0;
        pass(&s.rig, 600000);
        assert_int_equal(s.heard.fed, 600000 / EVERY_MS);
        assert_null(strstr(s.heard.text, "stands still"));
        stage_end(&s);
    }
}

/* A time-out beyond the manager's own patience, and a mute device: one transaction after the other takes that long. */
static void test_long_timeouts_are_no_reason(void **state)
{
    struct stage s;

    (void)state;
    stage_begin(&s,
                "area shop\n"
                "bus b1 host=127.0.0.1 port=1502 timeout=90s\n"
                "device d bus=b1 unit=1 poll=1s area=shop offline=10s:yellow\n"
                "point a holding=0\n",
                WATCHDOG_MS);
    fake_device(s.rig.fake, 0)->behaviour = FAKE_SILENT;
    pass(&s.rig, 600000);
    assert_int_equal(s.heard.fed, 600000 / EVERY_MS);
    stage_end(&s);
}

static void test_a_disk_that_does_not_answer(void **state)
{
    struct stage s;
    int64_t stuck_ms;

    (void)state;
    stage_begin(&s, PLANT RULE, WATCHDOG_MS);
    pass(&s.rig, 30000);
    hang_ms = 600000;
    pass(&s.rig, 2000);
    stuck_ms = loop_mono_ms(s.rig.loop);
    hang_ms = 0;
    pass(&s.rig, 500000);
    assert_in_range(s.heard.fed_ms - stuck_ms, SUPERVISE_STORE_TIMES * WATCHDOG_MS - 2 * EVERY_MS,
                    SUPERVISE_STORE_TIMES * WATCHDOG_MS + 2 * EVERY_MS);
    assert_non_null(strstr(s.heard.text, "STATUS=the store stands still\n"));
    s.heard.fed = 0;
    pass(&s.rig, 180000);
    assert_true(s.heard.fed > 0);
    stage_end(&s);
}

/* Slow, but it moves: each sync takes long, none for ever. */
static void test_a_slow_disk_is_no_reason(void **state)
{
    struct stage s;

    (void)state;
    stage_begin(&s, PLANT RULE, WATCHDOG_MS);
    hang_ms = WATCHDOG_MS;
    pass(&s.rig, 1200000);
    assert_true(s.heard.fed >= 1200000 / EVERY_MS - 1);
    assert_null(strstr(s.heard.text, "the store stands still"));
    stage_end(&s);
}

static void test_a_disk_that_refuses_is_no_reason(void **state)
{
    struct stage s;

    (void)state;
    stage_begin(&s, PLANT RULE, WATCHDOG_MS);
    pass(&s.rig, 10000);
    disk_refuses(true);
    s.heard.fed = 0;
    pass(&s.rig, 600000);
    disk_refuses(false);
    assert_int_equal(s.heard.fed, 600000 / EVERY_MS);
    assert_non_null(strstr(s.heard.text, "; the store does not take records\n"));
    pass(&s.rig, 30000);
    stage_end(&s);
}

/* The machine stood still, and all with it. */
static void test_a_pause_of_everything_is_no_reason(void **state)
{
    struct stage s;

    (void)state;
    stage_begin(&s, PLANT RULE, WATCHDOG_MS);
    pass(&s.rig, 30000);
    for (int i = 0; i < 10; i++) {
        virtual_loop_spend(s.rig.loop, 3 * WATCHDOG_MS);
        pass(&s.rig, 2 * EVERY_MS);
        assert_true(loop_mono_ms(s.rig.loop) - s.heard.fed_ms <= EVERY_MS);
    }
    assert_null(strstr(s.heard.text, "stands still"));
    stage_end(&s);
}

/* Nobody watches: nothing is fed, and what stands still is told all the same. */
static void test_without_a_watchdog(void **state)
{
    struct stage s;

    (void)state;
    stage_begin(&s, PLANT RULE, 0);
    pass(&s.rig, 30000);
    s.rig.takes_ms = 150000;
    pass(&s.rig, 1000);
    s.rig.takes_ms = 0;
    pass(&s.rig, SUPERVISE_PATIENCE_MS + 30000);
    assert_int_equal(s.heard.fed, 0);
    assert_non_null(strstr(s.heard.text, "STATUS=bus b1 stands still\n"));
    pass(&s.rig, 300000);
    stage_end(&s);
}

/* What it had no room for it is told as soon as it has: each word that it waits for, and how it is then. */
static void test_a_manager_without_room(void **state)
{
    struct stage s;

    (void)state;
    stage_begin_with(&s, PLANT RULE, WATCHDOG_MS, true);
    pass(&s.rig, 60000);
    s.heard.deaf = false;
    pass(&s.rig, SUPERVISE_AGAIN_MS);
    assert_string_equal(s.heard.text,
                        "READY=1\nSTATUS=level none; 0 alarms, 0 not acknowledged; 1 of 1 devices "
                        "answer; 1 of 1 platforms connected\n");
    assert_int_equal(s.heard.fed, 1);

    s.heard.text[0] = '\0';
    s.heard.deaf = true;
    supervise_reloading(s.supervise); /* one reload whole, and the beginning of the next */
    supervise_reloaded(s.supervise);
    supervise_reloading(s.supervise);
    pass(&s.rig, 60000);
    s.heard.deaf = false;
    pass(&s.rig, EVERY_MS);
    assert_int_equal(strncmp(s.heard.text, "RELOADING=1\n", strlen("RELOADING=1\n")), 0);
    assert_null(strstr(s.heard.text, "READY=1"));
    s.heard.deaf = true;
    supervise_reloaded(s.supervise);
    fake_device(s.rig.fake, 0)->behaviour = FAKE_SILENT;
    pass(&s.rig, 60000);
    s.heard.text[0] = '\0';
    s.heard.deaf = false;
    pass(&s.rig, SUPERVISE_AGAIN_MS);
    assert_int_equal(strncmp(s.heard.text, "READY=1\nSTATUS=", strlen("READY=1\nSTATUS=")), 0);
    assert_non_null(strstr(s.heard.text, "; 0 of 1 devices answer"));

    s.heard.text[0] = '\0';
    s.heard.deaf = true;
    supervise_reloading(s.supervise);
    supervise_reloaded(s.supervise);
    s.heard.deaf = false;
    pass(&s.rig, SUPERVISE_AGAIN_MS);
    assert_int_equal(
        strncmp(s.heard.text, "RELOADING=1\nMONOTONIC_USEC=", strlen("RELOADING=1\nMONOTONIC_USEC=")), 0);
    assert_non_null(strstr(s.heard.text, "\nREADY=1\n"));
    stage_end(&s);
}

/* The judge alone: it never counts longer than nothing has moved, and always as long as it was looked at. */
static void test_look(void **state)
{
    struct rg_random random;
    const uint64_t seed = random_system_seed();

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    for (int run = 0; run < 200; run++) {
        struct supervise_progress p = {.busy = false};
        uint64_t mark = 1;
        int64_t stood_ms = 0;
        bool was = false;

        for (int i = 0; i < 200; i++) {
            const bool busy = random_next(&random) % 8 != 0;
            const bool moved = random_next(&random) % 8 == 0;
            const int64_t elapsed_ms = (int64_t)(random_next(&random) % 5000);

            mark += moved ? 1 : 0;
            stood_ms = busy && was && !moved ? stood_ms + elapsed_ms : 0;
            assert_int_equal(supervise_look(&p, busy, mark, elapsed_ms), stood_ms);
            was = busy;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fed_while_all_gets_on),
        cmocka_unit_test(test_a_bus_that_does_not_return),
        cmocka_unit_test(test_sick_devices_are_no_reason),
        cmocka_unit_test(test_long_timeouts_are_no_reason),
        cmocka_unit_test(test_a_disk_that_does_not_answer),
        cmocka_unit_test(test_a_slow_disk_is_no_reason),
        cmocka_unit_test(test_a_disk_that_refuses_is_no_reason),
        cmocka_unit_test(test_a_pause_of_everything_is_no_reason),
        cmocka_unit_test(test_without_a_watchdog),
        cmocka_unit_test(test_a_manager_without_room),
        cmocka_unit_test(test_look),
    };

    /* What ordinary users get when the disk refuses is an error, not a signal. */
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
