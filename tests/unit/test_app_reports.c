/* LINK rg_app rg_poll rg_store rg_uplink rg_control rg_loop_virtual rg_test_support */
/* Reports through the whole pipeline: made in time, made up for, made once, whatever the clock, the disk and the power do. */
#include "app_rig.h"

#include <time.h>

#include "app/event.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define SLOW                                                                                                 \
    "area shop\n"                                                                                            \
    "bus b1 host=127.0.0.1 port=1502\n"                                                                      \
    "device d bus=b1 unit=1 poll=10m area=shop offline=1h:yellow\n"                                          \
    "point a holding=0\n"                                                                                    \
    "point b holding=1\n"                                                                                    \
    "rule r points=d.a above=yellow:20,red:50\n"

/* 2025-11-22 02:53:20 UTC, which is where the virtual clock begins; the zone is UTC. */
#define MIDNIGHT (VIRTUAL_WALL_MS - VIRTUAL_WALL_MS % DAY + DAY)

static void begin(struct rig *r)
{
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    rig_begin(r, SLOW);
    assert_int_equal(pipeline_close(&r->pipeline), RG_OK);
    support_broker_clear(r->broker);
    r->site.site.reports = (struct site_reports){.on = true, .daily_minute = 5, .monthly_minute = 10};
    rig_open(r);
    event_start(&r->pipeline, true);
}

static void restart(struct rig *r)
{
    assert_int_equal(pipeline_close(&r->pipeline), RG_OK);
    rig_open(r);
    event_start(&r->pipeline, true);
}

static void until(struct rig *r, int64_t wall_ms)
{
    pass(r, wall_ms - loop_wall_ms(r->loop));
}

/* Distinct reports of a period at the platform; the last one's text in *text. */
static size_t reports(const struct rig *r, int64_t to, const char **text)
{
    const struct support_message *m = NULL;
    char end[64];

    (void)snprintf(end, sizeof end, "\"to\":%lld,", (long long)to);
    size_t count = seen(r, "root/report", end, &m);
    if (text)
        *text = m ? m->payload : "";
    return count;
}

static int64_t head(const struct rig *r)
{
    struct store_stats stats;

    store_stats(r->pipeline.store, &stats);
    return stats.head[STREAM_REPORT];
}

static void in_time(void **state)
{
    const char *text;
    struct rig r;

    (void)state;
    begin(&r);
    until(&r, MIDNIGHT + 5 * MINUTE - 1000);
    assert_int_equal(head(&r), 0);
    until(&r, MIDNIGHT + 5 * MINUTE + 3000);
    assert_int_equal(head(&r), 1);
    assert_int_equal(reports(&r, MIDNIGHT, &text), 1);
    assert_non_null(strstr(text, "\"kind\":\"daily\""));
    assert_non_null(strstr(text, "\"zero\":true"));
    assert_null(strstr(text, "\"late\""));
    assert_null(strstr(text, "\"clock\""));
    r.a = 60; /* not a zero day any more */
    until(&r, MIDNIGHT + DAY + 6 * MINUTE);
    assert_int_equal(reports(&r, MIDNIGHT + DAY, &text), 1);
    assert_non_null(strstr(text, "\"zero\":false,\"raised\":{\"red\":1,"));
    assert_non_null(strstr(text, "\"open\":{\"red\":1,"));
    /* All of a whole day, of two points every ten minutes. */
    assert_non_null(strstr(text, "\"completeness\":1,\"samples\":{\"expected\":288,\"received\":288}"));
    assert_non_null(strstr(text, "\"uptime_s\":86400"));
    rig_end(&r);
}

/* Off over midnight, twice; and again off and on in the morning. */
static void made_up_for(void **state)
{
    const char *text;
    struct rig r;

    (void)state;
    begin(&r);
    until(&r, MIDNIGHT - HOUR);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    virtual_loop_set_wall(r.loop, MIDNIGHT + DAY + 9 * HOUR);
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
        rig_open(&r);
        event_start(&r.pipeline, false);
        pass(&r, 20000);
    }
    assert_int_equal(head(&r), 2);
    assert_int_equal(reports(&r, MIDNIGHT, &text), 1);
    assert_non_null(strstr(text, "\"late\":true"));
    assert_int_equal(reports(&r, MIDNIGHT + DAY, &text), 1);
    assert_non_null(strstr(text, "\"late\":true"));
    assert_non_null(strstr(text, "\"uptime_s\":0,"));
    assert_non_null(strstr(text, "\"received\":0"));
    rig_end(&r);
}

static void clock_steps(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    until(&r, MIDNIGHT + 6 * MINUTE);
    assert_int_equal(head(&r), 1);
    virtual_loop_set_wall(r.loop, MIDNIGHT - 20 * MINUTE); /* midnight comes again */
    pass(&r, HOUR);
    assert_int_equal(head(&r), 1);
    virtual_loop_set_wall(r.loop, MIDNIGHT + 3 * DAY + HOUR); /* three days at once */
    pass(&r, MINUTE);
    assert_int_equal(head(&r), 4);
    virtual_loop_set_wall(r.loop, MIDNIGHT + 2 * HOUR); /* and back */
    for (int hour = 2; hour < 72; hour += 5) {
        virtual_loop_set_wall(r.loop, MIDNIGHT + hour * HOUR + 6 * MINUTE);
        pass(&r, 20000);
    }
    assert_int_equal(head(&r), 4);
    restart(&r); /* which finds the same in the store */
    virtual_loop_set_wall(r.loop, MIDNIGHT + 4 * DAY + 5 * MINUTE);
    pass(&r, 2 * MINUTE);
    assert_int_equal(head(&r), 5);
    for (int day = 0; day < 5; day++)
        assert_int_equal(reports(&r, MIDNIGHT + day * DAY, NULL), 1);
    rig_end(&r);
}

static void unset_clock(void **state)
{
    const char *text;
    struct rig r;

    (void)state;
    begin(&r);
    virtual_loop_set_synced(r.loop, false);
    until(&r, MIDNIGHT + 6 * MINUTE);
    assert_int_equal(reports(&r, MIDNIGHT, &text), 1);
    assert_non_null(strstr(text, "\"clock\":\"unsynced\""));
    rig_end(&r);
}

/* The disk refuses when it is due: it is told when that is over, once. */
static void disk_that_refuses(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    until(&r, MIDNIGHT);
    (void)signal(SIGXFSZ, SIG_IGN);
    disk_refuses(true);
    until(&r, MIDNIGHT + HOUR);
    disk_refuses(false);
    assert_int_equal(head(&r), 0);
    pass(&r, 2 * MINUTE);
    assert_int_equal(head(&r), 1);
    assert_int_equal(reports(&r, MIDNIGHT, NULL), 1);
    rig_end(&r);
}

/* Other times take effect with the configuration; `none` does. */
static void other_times(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    until(&r, MIDNIGHT - HOUR);
    r.site.site.reports.daily_minute = -1;
    reports_duties(&r.pipeline);
    until(&r, MIDNIGHT + HOUR);
    assert_int_equal(head(&r), 0);
    r.site.site.reports.daily_minute = 2 * 60;
    reports_duties(&r.pipeline);
    until(&r, MIDNIGHT + 2 * HOUR - 2000);
    assert_int_equal(head(&r), 0);
    until(&r, MIDNIGHT + 2 * HOUR + 3000);
    assert_int_equal(head(&r), 1);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_time),     cmocka_unit_test(made_up_for),       cmocka_unit_test(clock_steps),
        cmocka_unit_test(unset_clock), cmocka_unit_test(disk_that_refuses), cmocka_unit_test(other_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
