/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* What the log says of faults over hours: the whole pipeline on the virtual clock, its lines read back. */
#include "app_rig.h"

#include <fcntl.h>
#include <unistd.h>

/* Asked seldom: each answer is a commit, and a commit a sync. */
#define SELDOM                                                                                               \
    "area shop\n"                                                                                            \
    "bus b1 host=127.0.0.1 port=1502\n"                                                                      \
    "device d bus=b1 unit=1 poll=20s area=shop offline=1h:yellow label=Probe\n"                              \
    "point a holding=0 unit=%LEL\n"
#define LONG_MS (125LL * 60 * 1000)

#define LINES_MAX (256 << 10) /* bytes */

/* Into a pipe: one test lets no file grow. */
struct capture {
    int saved, pipe[2];
    char *text;
};

static void capture_begin(struct capture *c)
{
    c->text = NULL;
    assert_int_equal(pipe2(c->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(fcntl(c->pipe[1], F_SETPIPE_SZ, LINES_MAX) >= LINES_MAX);
    c->saved = dup(STDERR_FILENO);
    assert_true(c->saved >= 0 && dup2(c->pipe[1], STDERR_FILENO) >= 0);
    log_set_level(LOG_LEVEL_INFO);
}

static void capture_end(struct capture *c)
{
    ssize_t got;

    log_set_level(LOG_LEVEL_ERROR);
    assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
    c->text = calloc(LINES_MAX + 1, 1);
    assert_non_null(c->text);
    got = read(c->pipe[0], c->text, LINES_MAX);
    assert_true(got > 0);
    (void)close(c->pipe[0]);
    (void)close(c->pipe[1]);
    (void)close(c->saved);
    (void)fputs(c->text, stdout); /* for whoever looks why a test failed */
}

static size_t lines_with(const struct capture *c, const char *text)
{
    size_t count = 0;

    for (const char *p = c->text; (p = strstr(p, text)) != NULL; p += strlen(text))
        count++;
    return count;
}

static void a_device_that_is_silent_for_hours(void **state)
{
    struct capture c;
    struct rig r;

    (void)state;
    rig_begin(&r, SELDOM);
    pass(&r, 5000);
    capture_begin(&c);
    fake_device(r.fake, 0)->behaviour = FAKE_SILENT;
    pass(&r, LONG_MS);
    fake_device(r.fake, 0)->behaviour = FAKE_OK;
    pass(&r, 5 * 60000);
    capture_end(&c);
    assert_int_equal(lines_with(&c, " warning device d (bus b1, unit 1): 3 polls in a row without an answer"),
                     1);
    assert_in_range(lines_with(&c, "device d (bus b1, unit 1): still silent, for "), 7, 7);
    assert_int_equal(lines_with(&c, "still silent, for 63m, "), 1);
    assert_int_equal(lines_with(&c, "still silent, for 2h, "), 1);
    assert_int_equal(lines_with(&c, " info device d (bus b1, unit 1): answers again after 2h"), 1);
    assert_int_equal(lines_with(&c, "device d "), lines_with(&c, "device d (bus b1, unit 1): "));
    free(c.text);
    rig_end(&r);
}

/* A loose plug for two hours: told at growing gaps with how often, and in the end as it is. */
static void a_bus_that_comes_and_goes(void **state)
{
    struct capture c;
    struct rig r;
    size_t told;

    (void)state;
    rig_begin(&r, SELDOM);
    pass(&r, 5000);
    capture_begin(&c);
    for (int64_t at = 0; at < LONG_MS; at += 60000) {
        fake_bus(r.fake, 0)->behaviour = FAKE_BROKEN;
        pass(&r, 25000);
        fake_bus(r.fake, 0)->behaviour = FAKE_OK;
        pass(&r, 35000);
    }
    pass(&r, 65 * 60000);
    capture_end(&c);
    told = lines_with(&c, " warning bus b1: down: ");
    assert_in_range(told, 6, 10);
    assert_int_equal(lines_with(&c, " info bus b1: up after "), told);
    assert_true(lines_with(&c, "more since") >= told / 2);
    assert_int_equal(lines_with(&c, "the same came and went"), 1);
    free(c.text);
    rig_end(&r);
}

static void an_uplink_that_never_got_through(void **state)
{
    struct capture c;
    struct rig r;

    (void)state;
    rig_begin(&r, SELDOM);
    capture_begin(&c);
    r.broker->connect = SUPPORT_REFUSE;
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    pass(&r, 20 * 60000);
    r.broker->connect = SUPPORT_ACCEPT;
    pass(&r, 10 * 60000);
    capture_end(&c);
    assert_int_equal(lines_with(&c, " warning uplink county: not connected: "), 1);
    assert_in_range(lines_with(&c, " warning uplink county: still not connected, for "), 4, 4);
    assert_int_equal(lines_with(&c, " info uplink county: connected after "), 1);
    free(c.text);
    rig_end(&r);
}

static void a_store_that_takes_nothing(void **state)
{
    struct capture c;
    struct rig r;

    (void)state;
    rig_begin(&r, SELDOM);
    pass(&r, 5000);
    capture_begin(&c);
    disk_refuses(true);
    pass(&r, 20 * 60000);
    disk_refuses(false);
    pass(&r, 60000);
    capture_end(&c);
    assert_int_equal(lines_with(&c, " error store: does not take records: "), 1);
    assert_in_range(lines_with(&c, " error store: still does not take records, for "), 4, 4);
    assert_int_equal(lines_with(&c, " info store: takes records again after "), 1);
    free(c.text);
    rig_end(&r);
}

/* The operator mends the configuration: what is made anew is well at its first answer, and nobody tells so. */
static void what_a_reload_mends(void **state)
{
    struct site_device device;
    struct site_bus bus;
    struct capture c;
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, SELDOM);
    pass(&r, 5000);
    next = r.site.site;
    next.buses = &bus;
    next.devices = &device;
    bus = r.site.site.buses[0];
    device = r.site.site.devices[0];
    capture_begin(&c);
    fake_device(r.fake, 0)->behaviour = FAKE_SILENT;
    pass(&r, 10 * 60000);
    fake_bus(r.fake, 0)->behaviour = FAKE_BROKEN;
    pass(&r, 10 * 60000);
    fake_device(r.fake, 0)->behaviour = FAKE_OK;
    fake_bus(r.fake, 0)->behaviour = FAKE_OK;
    device.timeout_ms += 100;
    bus.timeout_ms += 100;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&r, 60000);
    assert_int_equal(seen(&r, "root/event", "\"state\":\"offline\"", NULL), 1);
    assert_int_equal(seen(&r, "root/event", "\"state\":\"online\"", NULL), 1);
    assert_int_equal(seen(&r, "root/event", "\"state\":\"down\"", NULL), 1);
    assert_int_equal(seen(&r, "root/event", "\"state\":\"up\"", NULL), 1);
    assert_int_equal(r.pipeline.say.count, 2);
    pass(&r, 40 * 60000);
    assert_int_equal(r.pipeline.say.count, 0);
    capture_end(&c);
    assert_int_equal(lines_with(&c, " info bus b1: up after "), 1);
    assert_int_equal(lines_with(&c, " info device d (bus b1, unit 1): answers again after "), 1);
    assert_null(strstr(strstr(c.text, " info bus b1: up after "), "still down"));
    assert_null(strstr(strstr(c.text, "answers again after "), "still silent"));
    free(c.text);
    rig_end(&r);
}

/* And one that was taken away is at fault no more: when it comes back, all is new. */
static void what_a_reload_takes_away(void **state)
{
    struct capture c;
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, SELDOM);
    pass(&r, 5000);
    next = r.site.site;
    next.device_count = next.point_count = 0;
    capture_begin(&c);
    fake_device(r.fake, 0)->behaviour = FAKE_SILENT;
    pass(&r, 5 * 60000);
    assert_int_equal(r.pipeline.say.count, 1);
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&r, 2000);
    assert_int_equal(r.pipeline.say.count, 0);
    assert_int_equal(pipeline_take(&r.pipeline, &r.site.site, "0123", NULL), RG_OK);
    pass(&r, 5 * 60000);
    capture_end(&c);
    assert_int_equal(lines_with(&c, " warning device d (bus b1, unit 1): 3 polls in a row without an answer"),
                     2);
    free(c.text);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_is_silent_for_hours),
        cmocka_unit_test(a_bus_that_comes_and_goes),
        cmocka_unit_test(an_uplink_that_never_got_through),
        cmocka_unit_test(a_store_that_takes_nothing),
        cmocka_unit_test(what_a_reload_mends),
        cmocka_unit_test(what_a_reload_takes_away),
    };

    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
