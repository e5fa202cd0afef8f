/* LINK rg_sim rg_daemon rg_loop_virtual */
/* Uplinks over a reload: one that did not change goes on as if nothing had happened; one that changed, came or went is told apart from those. Judged
 * by the platforms: complete, nothing twice without a cause, no last will, no new connection. */
#include "uplinks_rig.h"

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

/* The configuration says the same, its secrets do not: a renewed certificate, another password. */
static void secrets_that_were_renewed_are_taken(void **state)
{
    struct world *w = *state;
    char path[SUPPORT_TMP_SIZE + 32];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/secret", w->folder);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("one\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    edit_file(w, "name: city, url", "name: city, username: gw, password_file: secret, url");
    reload(w);
    assert_string_equal(broker(w, 1)->password, "one");
    reload(w);
    assert_int_equal(broker(w, 1)->connections, 2);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("another\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    reload(w);
    assert_int_equal(broker(w, 1)->connections, 3);
    assert_string_equal(broker(w, 1)->password, "another");
    reload(w);
    assert_int_equal(broker(w, 1)->connections, 3);
    assert_int_equal(broker(w, 0)->connections, 1);
    assert_int_equal(remove(path), 0);
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
    refusals = 1;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_changed_limit_leaves_the_connections, begin, end),
        cmocka_unit_test_setup_teardown(what_says_the_same_is_not_told_again, begin, end),
        cmocka_unit_test_setup_teardown(only_the_one_that_changed_connects_anew, begin, end),
        cmocka_unit_test_setup_teardown(one_goes_and_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(devices_that_come_and_go_are_no_change, begin, end),
        cmocka_unit_test_setup_teardown(secrets_that_were_renewed_are_taken, begin, end),
        cmocka_unit_test_setup_teardown(all_or_nothing, begin, end),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
