/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* What the pipeline leaves in its store is read again in the order in which it was done: a replay has to know of a start before it hears what
 * the rules did at that start. */
#include "app_rig.h"

#include "app/event.h"
#include "store/history.h"

/* "<stream or kind of event>", joined by blanks, of what was taken in after a turn. */
static void read_after(const char *path, int64_t turn, char *out, size_t size)
{
    const struct history_wish wish = {.after_turn = turn};
    struct history_entry entry;
    struct history *h;
    char why[512];
    enum rg_err err;

    out[0] = '\0';
    assert_int_equal(history_open(path, &wish, &h, why, sizeof why), RG_OK);
    while ((err = history_next(h, &entry)) == RG_OK) {
        size_t used = strlen(out);

        (void)snprintf(out + used, size - used, "%s%s", used ? " " : "",
                       entry.stream == STREAM_EVENT ? entry.kind : stream_name(entry.stream));
    }
    assert_int_equal(err, RG_ENOTFOUND);
    history_close(h);
}

static void a_start_stands_before_what_the_rules_did_at_it(void **state)
{
    char told[256];
    struct rig r;
    int64_t turn;

    (void)state;
    rig_begin(&r, PLANT "permit tank max=1h\nrule r points=d.a permit=tank above=red:50\n");
    event_start(&r.pipeline, true);
    pipeline_permit(&r.pipeline, 0, 5000, "Li");
    r.a = 60;
    pass(&r, 2400);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_RED);
    turn = store_turn(r.pipeline.store) - 1; /* no record takes this one: it is given anew */
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    /* Nobody is there when the permit ends. */
    pass(&r, 60000);
    rig_open(&r);
    event_start(&r.pipeline, false);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_NONE);
    pass(&r, 600);
    read_after(r.path, turn, told, sizeof told);
    /* Two levels: of the area, of the gateway. */
    assert_string_equal(told, "level level start alarm uplink");
    rig_end(&r);
}

/* Readings of 10 are in the store, and after the restart there are readings of 1000: whether that is taken for a step. */
static enum level step_after_restart(const struct config_diff *changes, bool forget)
{
    enum level level;
    struct rig r;

    rig_begin(&r, PLANT "rule r points=d.b delta=60s coverage=1 above=yellow:500\n");
    event_start(&r.pipeline, true);
    r.b = 10;
    pass(&r, 10400);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_NONE);
    r.b = 1000;
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    rig_open(&r);
    event_start(&r.pipeline, true);
    if (forget)
        pipeline_forget(&r.pipeline, changes);
    pass(&r, 4400);
    level = rules_level(r.pipeline.rules);
    rig_end(&r);
    return level;
}

static void readings_of_another_meaning_fill_no_window(void **state)
{
    static const struct {
        const char *what;
        enum level level;
    } rows[] = {{"point.d.b.scaling", LEVEL_NONE},    {"device.d.unit", LEVEL_NONE},
                {"point.d.b.convert.2", LEVEL_NONE},  {"point.d.b.label", LEVEL_YELLOW},
                {"point.d.a.read", LEVEL_YELLOW},     {"device.d.poll", LEVEL_YELLOW},
                {"rule.r.above.yellow", LEVEL_YELLOW}};

    (void)state;
    assert_int_equal(step_after_restart(NULL, false), LEVEL_YELLOW);
    assert_int_equal(step_after_restart(NULL, true), LEVEL_NONE);
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct config_change change = {.what = rows[i].what};
        const struct config_diff diff = {.changes = &change, .count = 1};

        if (step_after_restart(&diff, true) != rows[i].level)
            fail_msg("%s", rows[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_of_another_meaning_fill_no_window),
        cmocka_unit_test(a_start_stands_before_what_the_rules_did_at_it),
    };

    return cmocka_run_group_tests_name("app history", tests, NULL, NULL);
}
