/* LINK rg_sim rg_daemon rg_loop_virtual */
/* Start, reload and stop of the whole app, and what happens when they meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/command.h"
#include "base/log.h"
#include "world.h"

static const struct world_plan plan = {
    .devices = 3,
    .points = 3,
    .buses = 2,
    .uplinks = 2,
    .poll_ms = WORLD_SECOND,
    .commit_ms = WORLD_SECOND,
    .offline_ms = 10 * WORLD_SECOND,
    .backfill_rate = 200,
    .red = 40,
    .duration_ms = WORLD_HOUR,
};

/* The `config` and `stop` events that the first platform got, one text after the other. */
static char events[65536];

static void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    if (p != &p->world->platforms[0] || strcmp(topic, "event") != 0)
        return;
    if (strstr(m->payload, "\"kind\":\"config\"") || strstr(m->payload, "\"kind\":\"stop\""))
        (void)snprintf(events + strlen(events), sizeof events - strlen(events), "%s\n", m->payload);
}

static unsigned told(const char *text)
{
    unsigned count = 0;

    for (const char *at = events; (at = strstr(at, text)); at++)
        count++;
    return count;
}

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    events[0] = '\0';
    world_create(w, 1, &plan);
    w->platforms[0].look = look_cb;
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

static void write_file(const struct world *w, const char *text)
{
    FILE *f = fopen(w->config_file, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Replaces one text in the file. */
static void edit_file(const struct world *w, const char *old, const char *new)
{
    static char text[65536], changed[65536];
    FILE *f = fopen(w->config_file, "r");
    const char *at;

    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    assert_int_equal(fclose(f), 0);
    at = strstr(text, old);
    assert_non_null(at);
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    write_file(w, changed);
}

static uint64_t asked(const struct world *w)
{
    return w->devices[0].poll_count;
}

/* ---- reload ---- */

static void what_changed_is_told_with_old_and_new(void **state)
{
    struct world *w = *state;

    w->plan.red = 41;
    world_reload(w);
    world_run_for(w, 5000);
    assert_int_equal(told("\"applied\":true"), 1);
    assert_int_equal(
        told("\"by\":\"the "
             "simulation\",\"changes\":[{\"what\":\"rule.high.above.red\",\"old\":\"40\",\"new\":\"41\"}]"),
        1);
    world_settle(w, 10000);
    world_check_platforms(w);
}

static void an_invalid_file_changes_nothing(void **state)
{
    struct world *w = *state;
    char sha256[65];
    uint64_t before = asked(w);

    (void)snprintf(sha256, sizeof sha256, "%s", app_pipeline(w->app)->config_sha256);
    write_file(w, "gateway: {id: [}\n");
    app_reload(w->app, "a test");
    world_run_for(w, 3000);
    assert_int_equal(told("\"applied\":false"), 1);
    assert_int_equal(told("\"by\":\"a test\",\"error\":\"it has errors\""), 1);
    assert_int_equal(told("\"issues\":[{\"file\":\""), 1);
    assert_string_equal(app_pipeline(w->app)->config_sha256, sha256);
    assert_int_equal(asked(w), before + 3);
    assert_true(w->platforms[0].broker->connections == 1); /* not even reconnected */
}

static void what_cannot_change_while_running_is_refused(void **state)
{
    static const char *const edits[][3] = {
        {"path: sim.db", "path: other.db", "store.path cannot change"},
        {"id: " WORLD_GATEWAY, "id: gw-other", "gateway.id cannot change"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < RG_COUNT(edits); i++) {
        world_write_config(w);
        edit_file(w, edits[i][0], edits[i][1]);
        app_reload(w->app, "a test");
        world_run_for(w, 2000);
        assert_int_equal(told(edits[i][2]), 1);
    }
    assert_int_equal(told("\"applied\":true"), 0);
    assert_int_equal(w->platforms[0].broker->connections, 1);
}

static void reloads_asked_for_during_one_are_one_more(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 5; i++) {
        char by[16];

        w->plan.red = 39 + i;
        world_write_config(w);
        (void)snprintf(by, sizeof by, "number %d", i);
        app_reload(w->app, by);
    }
    world_run_for(w, 10000);
    assert_int_equal(told("\"applied\":true"), 2); /* the second one finds the file that the first one took */
    assert_int_equal(told("\"by\":\"number 0\""), 1);
    assert_int_equal(told("\"by\":\"number 1, number 2, number 3, number 4\""), 1);
    assert_true(app_pipeline(w->app)->site->rules[0].above[LEVEL_RED] == 43);
}

/* Nothing is exchanged for the very same file; that somebody asked is told. */
static void the_same_file_again_changes_nothing(void **state)
{
    struct world *w = *state;
    const struct pipeline *p = app_pipeline(w->app);
    const struct rules *rules = p->rules;
    const struct site *site = p->site;

    app_reload(w->app, "a test");
    world_run_for(w, 3000);
    assert_int_equal(told("\"applied\":true"), 1);
    assert_int_equal(told("\"by\":\"a test\",\"changes\":[]"), 1);
    assert_ptr_equal(p->rules, rules);
    assert_ptr_equal(p->site, site);
    assert_int_equal(w->platforms[0].broker->connections, 1);
    world_settle(w, 10000);
    world_check_platforms(w);
}

/* ---- the daemon is asked while uplinks leave ---- */

static void ask(const struct world *w, const char *command)
{
    const struct command_context context = {
        .pipeline = app_pipeline(w->app), .config_file = w->config_file, .store_path = "sim.db"};
    static const char request_text[] = "{\"alarm\":\"gw-sim-1\",\"by\":\"Li\"}";
    struct json *request = NULL, *answer = NULL;
    char error[256] = "";
    struct jsonw out;
    enum rg_err err;

    assert_int_equal(json_parse(request_text, sizeof request_text - 1, 1000, &request), RG_OK);
    jsonw_init(&out, 0);
    err = command_run(&context, NULL, command, request, 0, &out, error, sizeof error);
    assert_true(err == RG_OK || error[0]);
    if (err == RG_OK) {
        assert_int_equal(json_parse(out.text, out.length, 1 << 20, &answer), RG_OK);
        for (const struct json *u = json_first(json_get(answer, "uplinks")); u; u = json_next(u)) {
            const char *name = json_string(json_get(u, "name"));

            assert_true(name && (strcmp(name, "county") == 0 || strcmp(name, "city") == 0));
        }
        json_free(answer);
    }
    jsonw_free(&out);
    json_free(request);
}

static void ask_all(const struct world *w)
{
    static const char *const commands[] = {"status", "alarms", "points", "risk", "ack", "dance"};

    for (size_t i = 0; i < RG_COUNT(commands); i++)
        ask(w, commands[i]);
}

static void questions_at_every_moment_of_a_reload(void **state)
{
    struct world *w = *state;

    w->plan.uplinks = 1; /* fewer than are leaving */
    w->plan.devices = 1;
    world_reload(w);
    for (int i = 0; i < 300; i++) {
        ask_all(w);
        assert_true(virtual_loop_step(w->loop));
    }
    assert_int_equal(app_pipeline(w->app)->uplink_count, 1);
    w->plan = plan;
    world_reload(w);
    for (int i = 0; i < 300; i++) {
        ask_all(w);
        assert_true(virtual_loop_step(w->loop));
    }
    world_settle(w, 30000);
    world_check_platforms(w);
}

/* ---- stop ---- */

static void a_stop_says_goodbye(void **state)
{
    struct world *w = *state;

    world_stop(w);
    assert_int_equal(told("\"kind\":\"stop\",\"reason\":\"the simulation\""), 1);
    for (unsigned i = 0; i < plan.uplinks; i++) {
        assert_false(w->platforms[i].gateway->online);
        assert_int_equal(w->platforms[i].broker->disconnects, 1);
    }
}

static unsigned stops;

static void stopped_cb(void *arg)
{
    (void)arg;
    stops++;
}

static void await_stop(struct world *w)
{
    int64_t until = world_now(w) + 30000;

    while (stops == 0 && virtual_loop_next_ms(w->loop) <= until)
        assert_true(virtual_loop_step(w->loop));
    assert_int_equal(stops, 1);
}

/* However the platforms are: refusing, mute, accepting and never acknowledging. */
static void a_stop_ends_whatever_the_platforms_do(void **state)
{
    struct world *w = *state;

    for (int way = 0; way < 4; way++) {
        struct support_broker *b = w->platforms[0].broker;

        if (!w->app) {
            world_start(w);
            world_run_for(w, 2500);
        }
        b->hold_acks = way == 3;
        b->connect = way == 1 ? SUPPORT_REFUSE : way == 2 ? SUPPORT_MUTE : SUPPORT_ACCEPT;
        if (way == 1 || way == 2)
            support_broker_cut(b);
        world_run_for(w, 1500);
        stops = 0;
        app_stop(w->app, "a test", stopped_cb, NULL);
        app_stop(w->app, "again", stopped_cb, NULL);
        app_reload(w->app, "too late");
        await_stop(w);
        assert_int_equal(app_destroy(w->app), RG_OK);
        w->app = NULL;
        assert_int_equal(stops, 1);
        b->connect = SUPPORT_ACCEPT;
        support_broker_release(b);
    }
    world_start(w);
    world_settle(w, 60000);
    assert_true(told("\"reason\":\"a test\"") >= 4); /* what was not acknowledged comes again */
    assert_int_equal(told("\"reason\":\"again\""), 0);
    assert_int_equal(told("too late"), 0);
    world_check_platforms(w);
}

/* A reload, then a stop after so many events of the loop: in every state of the reload. */
static void a_stop_at_every_moment_of_a_reload(void **state)
{
    struct world *w = *state;

    for (int events_between = 0; events_between < 120; events_between += events_between < 30 ? 1 : 7) {
        if (!w->app)
            world_start(w);
        world_run_for(w, 300);
        w->plan.red = w->plan.red > 41 ? 39 : w->plan.red + 1;
        w->plan.uplinks = 1 + (unsigned)(events_between % 2);
        world_reload(w);
        for (int i = 0; i < events_between; i++)
            assert_true(virtual_loop_step(w->loop));
        stops = 0;
        events[0] = '\0';
        app_stop(w->app, "a test", stopped_cb, NULL);
        await_stop(w);
        /* In whatever state it came, the platform hears of it, last of all. */
        assert_true(told("\"kind\":\"stop\"") >= 1);
        assert_null(strstr(strstr(events, "\"kind\":\"stop\""), "\"kind\":\"config\""));
        assert_false(w->platforms[0].gateway->online);
        assert_int_equal(app_destroy(w->app), RG_OK);
        w->app = NULL;
    }
    w->plan = plan;
    world_write_config(w);
    world_start(w);
    world_settle(w, 60000);
    world_check_platforms(w);
}

/* ---- the end at any moment: nothing is used afterwards, nothing is left ---- */

static void destroyed_at_every_moment(void **state)
{
    struct world *w = *state;

    for (int events_between = 0; events_between < 90; events_between += events_between < 30 ? 1 : 7) {
        for (int way = 0; way < 3; way++) {
            size_t alive;

            if (!w->app)
                world_start(w);
            world_run_for(w, way == 0 ? 0 : 300);
            w->plan.red = w->plan.red > 41 ? 39 : w->plan.red + 1;
            if (way == 1)
                world_reload(w);
            else if (way == 2)
                app_stop(w->app, "a test", stopped_cb, NULL);
            for (int i = 0; i < events_between; i++)
                assert_true(virtual_loop_step(w->loop));
            assert_int_equal(app_destroy(w->app), RG_OK);
            w->app = NULL;
            alive = virtual_loop_alive(w->loop);
            assert_int_equal(alive, 0);
        }
    }
    world_start(w);
    world_settle(w, 60000);
    world_check_platforms(w);
    assert_int_equal(app_destroy(NULL), RG_OK);
}

static void a_second_app_on_the_same_store_is_refused(void **state)
{
    const struct pipeline_env env = {&world_driver, &support_transport, "second", 1};
    struct world *w = *state;
    struct config *config = NULL;
    struct app *second = NULL;

    assert_int_equal(config_load(w->config_file, &config), RG_OK);
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(app_create(w->loop, &env, config, &second), RG_EEXIST);
    assert_null(second);
    world_settle(w, 10000);
    world_check_platforms(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_changed_is_told_with_old_and_new, begin, end),
        cmocka_unit_test_setup_teardown(an_invalid_file_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_change_while_running_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(reloads_asked_for_during_one_are_one_more, begin, end),
        cmocka_unit_test_setup_teardown(the_same_file_again_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(questions_at_every_moment_of_a_reload, begin, end),
        cmocka_unit_test_setup_teardown(a_stop_says_goodbye, begin, end),
        cmocka_unit_test_setup_teardown(a_stop_ends_whatever_the_platforms_do, begin, end),
        cmocka_unit_test_setup_teardown(a_stop_at_every_moment_of_a_reload, begin, end),
        cmocka_unit_test_setup_teardown(destroyed_at_every_moment, begin, end),
        cmocka_unit_test_setup_teardown(a_second_app_on_the_same_store_is_refused, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
