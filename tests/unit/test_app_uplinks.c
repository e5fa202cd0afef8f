/* LINK rg_sim rg_daemon rg_loop_virtual */
/* Uplinks over a reload: one that did not change goes on as if nothing had happened, whatever it is doing; one that changed, came or went
 * is told apart from those. Judged by the platforms: complete, nothing twice without a cause, no last will, no new connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/app_impl.h"
#include "app/uplinks.h"
#include "base/log.h"
#include "world.h"

static const struct world_plan plan = {
    .devices = 6,
    .points = 3,
    .buses = 2,
    .uplinks = 2,
    .poll_ms = WORLD_SECOND,
    .commit_ms = 300, /* never in step with the polls: there are moments when nothing waits */
    .offline_ms = 10 * WORLD_SECOND,
    .backfill_rate = 5,
    .red = 40,
    .duration_ms = WORLD_HOUR,
};

/* What each platform got: the last document of each kind, and how many messages of each topic. */
static struct {
    char state[1024], about[65536];
    unsigned abouts, telemetry;
} got[2];

static void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    const size_t i = p == &p->world->platforms[0] ? 0 : 1;

    if (strcmp(topic, "state") == 0)
        (void)snprintf(got[i].state, sizeof got[i].state, "%s", m->payload);
    if (strcmp(topic, "about") == 0)
        (void)snprintf(got[i].about, sizeof got[i].about, "%s", m->payload);
    got[i].abouts += strcmp(topic, "about") == 0 ? 1 : 0;
    got[i].telemetry += strcmp(topic, "telemetry") == 0 ? 1 : 0;
}

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    world_create(w, 1, &plan);
    memset(got, 0, sizeof got);
    w->platforms[0].look = w->platforms[1].look = look_cb;
    world_start(w);
    world_run_for(w, 2500);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;

    w->plan.uplinks = plan.uplinks;
    if (w->app)
        assert_int_equal(app_destroy(w->app), RG_OK);
    world_destroy(w);
    free(w);
    return 0;
}

/* Replaces one text in the file. */
static void edit_file(const struct world *w, const char *old, const char *new)
{
    static char text[65536];
    FILE *f = fopen(w->config_file, "r");
    const char *at;

    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    assert_int_equal(fclose(f), 0);
    at = strstr(text, old);
    assert_non_null(at);
    f = fopen(w->config_file, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
    assert_int_equal(fclose(f), 0);
}

static void reload(struct world *w)
{
    app_reload(w->app, "a test");
    world_run_for(w, 10000);
    assert_int_equal(app_pipeline(w->app)->leaving_count, 0);
}

static const struct support_broker *broker(const struct world *w, unsigned platform)
{
    return w->platforms[platform].broker;
}

/* Telemetry and the like that came, and how much of it for the first time: equal when nothing was sent twice. */
static struct uplink_stats stats_of(const struct world *w, unsigned platform)
{
    const struct pipeline *p = app_pipeline(w->app);
    struct uplink_stats s;

    assert_non_null(p->uplinks[platform]);
    uplink_stats(p->uplinks[platform], &s);
    return s;
}

static void a_changed_limit_leaves_the_connections(void **state)
{
    struct world *w = *state;
    const struct pipeline *p = app_pipeline(w->app);
    const struct uplink *first = p->uplinks[0], *second = p->uplinks[1];

    for (int i = 0; i < 50; i++) {
        char red[32];

        w->plan.red = i % 2 ? 40 : 41 + i;
        world_write_config(w);
        app_reload(w->app, "a test");
        world_run_for(w, 100 + 37 * i);
        (void)snprintf(red, sizeof red, "\"red\":%g", w->plan.red);
        for (unsigned k = 0; k < 2; k++) {
            assert_non_null(strstr(got[k].about, red));
            assert_non_null(strstr(got[k].state, p->config_sha256));
        }
    }
    assert_ptr_equal(p->uplinks[0], first);
    assert_ptr_equal(p->uplinks[1], second);
    assert_ptr_equal(uplink_conf(first), &p->site->uplinks[0]);
    for (unsigned k = 0; k < 2; k++) {
        assert_int_equal(broker(w, k)->connections, 1);
        assert_int_equal(broker(w, k)->disconnects, 0);
        assert_int_equal(stats_of(w, k).resent, 0);
    }
    world_settle(w, 10000);
    world_check_platforms(w);
}

/* The about document is told again only when it says something else. */
static void what_says_the_same_is_not_told_again(void **state)
{
    struct world *w = *state;
    unsigned before;

    world_settle(w, 10000);
    before = got[0].abouts;
    edit_file(w, "store: {", "# a remark\nstore: {");
    reload(w);
    assert_int_equal(got[0].abouts, before);
    assert_non_null(strstr(got[0].state, app_pipeline(w->app)->config_sha256));
    assert_int_equal(broker(w, 0)->connections, 1);
}

static void only_the_one_that_changed_connects_anew(void **state)
{
    static const char *const edits[][2] = {
        {"alarms: {from: orange}", "alarms: {from: yellow}"},                /* it is owed more now */
        {"devices: [d0, d1]", "devices: [d0]"},                              /* less */
        {"devices: [d0]", "devices: [d0, d2]"},                              /* other ones */
        {"name: city, url", "name: city, keepalive: 17s, url"},              /* how it connects */
        {"name: city, keepalive", "name: city, commands: [ack], keepalive"}, /* what it may ask */
        {"telemetry: {send: true", "telemetry: {send: false"},               /* no telemetry any more */
    };
    struct world *w = *state;

    for (unsigned i = 0; i < RG_COUNT(edits); i++) {
        edit_file(w, edits[i][0], edits[i][1]);
        reload(w);
        assert_int_equal(broker(w, 0)->connections, 1);
        assert_int_equal(broker(w, 1)->connections, 2 + i);
        assert_int_equal(broker(w, 1)->disconnects, 1 + i);
        assert_non_null(strstr(got[1].state, "\"online\":true"));
    }
    assert_int_equal(broker(w, 0)->disconnects, 0);
    assert_int_equal(stats_of(w, 0).resent, 0);
}

static void one_goes_and_comes_back(void **state)
{
    struct world *w = *state;
    const struct uplink *first = app_pipeline(w->app)->uplinks[0];

    w->plan.uplinks = 1;
    world_write_config(w);
    reload(w);
    assert_int_equal(app_pipeline(w->app)->uplink_count, 1);
    assert_int_equal(broker(w, 1)->disconnects, 1);
    assert_non_null(strstr(got[1].state, "\"online\":false"));
    w->plan.uplinks = 2;
    world_write_config(w);
    reload(w);
    assert_ptr_equal(app_pipeline(w->app)->uplinks[0], first);
    assert_int_equal(broker(w, 0)->connections, 1);
    assert_int_equal(broker(w, 1)->connections, 2);
    world_settle(w, 120000);
    world_check_platforms(w);
}

/* Devices that come and go are no change of an uplink that gets all of them. */
static void devices_that_come_and_go_are_no_change(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < 4; i++) {
        w->plan.devices = i % 2 ? 6 : 3;
        world_write_config(w);
        reload(w);
        assert_int_equal(broker(w, 0)->connections, 1);
        assert_int_equal(broker(w, 1)->connections, 1);
    }
    assert_int_equal(stats_of(w, 0).resent, 0);
    world_settle(w, 120000);
    world_check_platforms(w);
}

/* ---- whatever it is doing ---- */

static void during_an_outage(void **state)
{
    struct world *w = *state;
    struct support_broker *b = w->platforms[0].broker;
    unsigned tries;

    world_settle(w, 10000);
    b->connect = SUPPORT_REFUSE;
    support_broker_cut(b);
    world_run_for(w, 20000);
    tries = b->tries;
    for (int i = 0; i < 20; i++) {
        w->plan.red = 41 + i;
        world_write_config(w);
        app_reload(w->app, "a test");
        world_run_for(w, 50);
    }
    assert_true(b->tries <= tries + 1); /* a storm of reloads is none of connections */
    assert_int_equal(broker(w, 1)->connections, 1);
    b->connect = SUPPORT_ACCEPT;
    world_settle(w, 60000);
    assert_non_null(strstr(got[0].state, app_pipeline(w->app)->config_sha256));
    assert_non_null(strstr(got[0].about, "\"red\":60"));
    world_check_platforms(w);
    /* The will of the new connection tells of the new configuration. */
    support_broker_cut(b);
    assert_non_null(strstr(got[0].state, app_pipeline(w->app)->config_sha256));
    assert_non_null(strstr(got[0].state, "\"online\":false"));
}

static void during_back_fill(void **state)
{
    struct world *w = *state;
    struct support_broker *b = w->platforms[0].broker;
    int64_t pending;

    b->connect = SUPPORT_REFUSE;
    support_broker_cut(b);
    world_run_for(w, 900000);
    b->connect = SUPPORT_ACCEPT;
    world_run_for(w, 70000);
    assert_int_equal(b->connections, 2);
    pending = stats_of(w, 0).pending[STREAM_TELEMETRY];
    assert_true(pending > 500); /* 5 records a second */
    for (int i = 0; i < 10; i++) {
        w->plan.red = 41 + i;
        world_write_config(w);
        reload(w);
    }
    assert_true(stats_of(w, 0).pending[STREAM_TELEMETRY] < pending); /* it went on */
    assert_int_equal(b->connections, 2);
    assert_int_equal(stats_of(w, 0).resent, 0);
    world_settle(w, 1200000);
    world_check_platforms(w);
}

static void with_messages_in_flight(void **state)
{
    struct world *w = *state;
    struct support_broker *b = w->platforms[0].broker;

    b->hold_acks = true;
    world_run_for(w, 5000);
    assert_true(stats_of(w, 0).in_flight > 0);
    w->plan.red = 45;
    world_write_config(w);
    reload(w);
    assert_true(stats_of(w, 0).in_flight > 0);
    support_broker_release(b);
    world_settle(w, 10000);
    assert_int_equal(b->connections, 1);
    assert_int_equal(stats_of(w, 0).resent, 0);
    world_check_platforms(w);
}

/* A platform that does not take the goodbye of a removed uplink holds up nobody. */
static void a_mute_goodbye_holds_nobody_up(void **state)
{
    struct world *w = *state;
    unsigned before;

    w->platforms[1].broker->hold_acks = true;
    world_run_for(w, 3000);
    w->plan.uplinks = 1;
    world_write_config(w);
    before = got[0].telemetry;
    app_reload(w->app, "a test");
    world_run_for(w, 1900);
    assert_int_equal(app_pipeline(w->app)->leaving_count, 1); /* still */
    assert_true(got[0].telemetry > before + 1);
    world_run_for(w, 10000);
    assert_int_equal(app_pipeline(w->app)->leaving_count, 0);
    assert_int_equal(broker(w, 0)->connections, 1);
    support_broker_release(w->platforms[1].broker);
}

/* ---- out of memory ---- */

static int creates_that_fail;

static enum rg_err create_or_not(struct loop *loop, const struct site_uplink *conf,
                                 const struct transport_cbs *cbs, void *arg, struct transport **out)
{
    return creates_that_fail-- > 0 ? RG_ENOMEM : support_transport.create(loop, conf, cbs, arg, out);
}

/* One that changed cannot be made: then nothing is taken, and nobody has said goodbye. */
static void all_or_nothing(void **state)
{
    struct world *w = *state;
    struct pipeline *p = app_pipeline(w->app);
    static struct transport_ops ops; /* the uplinks keep it */
    const struct site *site = p->site;
    const struct uplink *first = p->uplinks[0], *second = p->uplinks[1];

    ops = support_transport;
    ops.create = create_or_not;
    p->env.transport = &ops;
    w->plan.red = 45;
    world_write_config(w);
    edit_file(w, "name: county, url", "name: county, keepalive: 17s, url");
    edit_file(w, "name: city, url", "name: city, keepalive: 17s, url");
    creates_that_fail = 1;
    reload(w);
    creates_that_fail = 0;
    assert_ptr_equal(p->site, site);
    assert_ptr_equal(p->uplinks[0], first);
    assert_ptr_equal(p->uplinks[1], second);
    assert_int_equal(p->uplink_count, 2);
    for (unsigned k = 0; k < 2; k++) {
        assert_int_equal(broker(w, k)->connections, 1);
        assert_int_equal(broker(w, k)->disconnects, 0);
        assert_non_null(strstr(got[k].about, "\"red\":40"));
    }
    reload(w);
    for (unsigned k = 0; k < 2; k++) {
        assert_int_equal(broker(w, k)->connections, 2);
        assert_non_null(strstr(got[k].about, "\"red\":45"));
    }
    world_settle(w, 120000);
    world_check_platforms(w);
}

/* ---- what waits over a reload ---- */

/* A self test that is under way is not begun anew where its uplinks go on. */
static void a_self_test_goes_on(void **state)
{
    struct world *w = *state;
    const struct pipeline *p = app_pipeline(w->app);
    char alarm[ALARM_ID_MAX];

    w->plan.more = "self_test: {every: 1h, uplinks: [county]}\n";
    world_write_config(w);
    reload(w);
    w->platforms[0].broker->hold_acks = true;
    world_run_for(w, 61000);
    assert_true(p->self_test.running);
    (void)snprintf(alarm, sizeof alarm, "%s", p->self_test.alarm);
    w->plan.red = 45;
    world_write_config(w);
    reload(w);
    assert_true(p->self_test.running);
    assert_string_equal(p->self_test.alarm, alarm);
    support_broker_release(w->platforms[0].broker);
    world_run_for(w, 2000);
    assert_false(p->self_test.running);
    assert_true(p->self_test.uplinks[0].last.ok);
    assert_string_equal(p->self_test.alarm, alarm);
}

/* ---- whenever ---- */

/* Reloads, outages and stops by lot; the platforms have everything in the end. */
static void by_lot(void **state)
{
    struct world *w = *state;
    uint64_t seed = 20251122;
    struct rg_random random;
    char window[32];

    w->plan.features = true;
    world_write_config(w);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    for (int i = 0; i < 150; i++) {
        struct support_broker *b = w->platforms[random_below(&random, 2)].broker;

        switch (random_below(&random, 8)) {
        case 0:
            support_broker_cut(b);
            break;
        case 1:
            b->connect = b->connect == SUPPORT_ACCEPT ? SUPPORT_REFUSE : SUPPORT_ACCEPT;
            break;
        case 2:
            b->hold_acks = true;
            break;
        case 3:
            support_broker_release(b);
            break;
        case 4:
            w->plan.devices = 3 + (unsigned)random_below(&random, 3);
            world_reload(w);
            break;
        case 5:
            w->plan.uplinks = 1 + (unsigned)random_below(&random, 2);
            world_reload(w);
            break;
        case 6:
            (void)snprintf(window, sizeof window, "mean: %um", 1 + (unsigned)random_below(&random, 9));
            edit_file(w, "mean: 5m", window); /* it is filled from the store */
            app_reload(w->app, "a test");
            world_write_config(w); /* for the next one */
            break;
        default:
            w->plan.red = 40 + (double)random_below(&random, 10);
            world_reload(w);
            break;
        }
        for (uint64_t k = random_below(&random, 60); k > 0; k--)
            assert_true(virtual_loop_step(w->loop));
    }
    for (unsigned k = 0; k < 2; k++) {
        w->platforms[k].broker->connect = SUPPORT_ACCEPT;
        support_broker_release(w->platforms[k].broker);
    }
    w->plan = plan;
    world_reload(w);
    world_settle(w, 900000);
    world_check_platforms(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_changed_limit_leaves_the_connections, begin, end),
        cmocka_unit_test_setup_teardown(what_says_the_same_is_not_told_again, begin, end),
        cmocka_unit_test_setup_teardown(only_the_one_that_changed_connects_anew, begin, end),
        cmocka_unit_test_setup_teardown(one_goes_and_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(devices_that_come_and_go_are_no_change, begin, end),
        cmocka_unit_test_setup_teardown(during_an_outage, begin, end),
        cmocka_unit_test_setup_teardown(during_back_fill, begin, end),
        cmocka_unit_test_setup_teardown(with_messages_in_flight, begin, end),
        cmocka_unit_test_setup_teardown(a_mute_goodbye_holds_nobody_up, begin, end),
        cmocka_unit_test_setup_teardown(all_or_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_self_test_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(by_lot, begin, end),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
