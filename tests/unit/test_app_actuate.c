/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* Outputs in the running pipeline: alarms switch relays, relays that do not answer are alarms. */
#include "app_rig.h"

#include "app/actuate.h"
#include "app/app.h"
#include "base/random.h"

#define RELAYS                                                                                               \
    PLANT "device relay bus=b1 unit=20\n"                                                                    \
          "device second bus=b1 unit=21\n" RULE
#define SIREN "output siren device=relay coil=0 area=shop from=red silence=1 stop=off label=Siren\n"
#define FAN "output fan device=relay coil=1 rule=r from=yellow stop=on\n"
#define BEACON "output beacon device=second coil=0 area=shop from=yellow stop=keep\n"
#define ALL RELAYS SIREN FAN BEACON

enum { RELAY = 1, SECOND = 2 }; /* devices */

struct bed {
    struct rig r; /* first: it is the hooks' arg */
    uint16_t coils[2][4];
    unsigned writes;
    int64_t written_ms; /* the last write */
    unsigned done;
};

static void raw_cb(void *arg, uint32_t bus, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    struct bed *b = arg;
    uint16_t *coil = &b->coils[ask->unit - 20][ask->address];

    (void)bus;
    if (ask->write) {
        *coil = ask->values[0];
        b->writes++;
        b->written_ms = loop_mono_ms(b->r.loop);
    } else {
        answer->values[0] = *coil;
    }
}

static void begin(struct bed *b, const char *text)
{
    *b = (struct bed){.writes = 0};
    memset(b->coils, 0xff, sizeof b->coils); /* neither on nor off */
    rig_begin_raw(&b->r, text, raw_cb);
}

static struct output_status status(const struct bed *b, const char *name)
{
    struct output_status s;

    outputs_status(b->r.pipeline.outputs, support_site_output(b->r.pipeline.site, name), &s);
    return s;
}

static void behave(struct bed *b, uint32_t device, enum fake_behaviour behaviour)
{
    fake_device(b->r.fake, device)->behaviour = behaviour;
}

static void alarms_switch_relays_at_once(void **state)
{
    struct bed b;
    int64_t raised_ms;

    (void)state;
    begin(&b, ALL);
    pass(&b.r, 1500);
    assert_true(b.coils[0][0] == 0 && b.coils[0][1] == 0 && b.coils[1][0] == 0);
    b.r.a = 30;
    pass(&b.r, 1000);
    assert_true(b.coils[0][0] == 0 && b.coils[0][1] == 1 && b.coils[1][0] == 1);
    b.r.a = 60;
    while (rules_level(b.r.pipeline.rules) != LEVEL_RED)
        pass(&b.r, 1);
    raised_ms = loop_mono_ms(b.r.loop);
    pass(&b.r, 500);
    assert_int_equal(b.coils[0][0], 1);
    assert_in_range(b.written_ms - raised_ms, 0, 20); /* one transaction takes 10 ms */
    b.r.a = 0;
    pass(&b.r, 2000);
    assert_true(b.coils[0][0] == 0 && b.coils[0][1] == 0 && b.coils[1][0] == 0);
    assert_int_equal(b.writes, 3 + 3 + 3);
    rig_end(&b.r);
}

static void a_fault_is_told_and_others_follow_it(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    pass(&b.r, 2000);
    behave(&b, RELAY, FAKE_SILENT);
    pass(&b.r, 40000);
    assert_true(status(&b, "siren").faulty && status(&b, "fan").faulty);
    assert_int_equal(
        seen(&b.r, "root/alarm",
             "\"event\":\"raise\",\"level\":\"yellow\",\"was\":\"none\",\"acked\":false,\"shelved\":"
             "false,\"rule\":\"output\",\"point\":\"siren\",\"area\":\"shop\",\"value\":null,"
             "\"limit\":null,\"unit\":null,\"label\":\"Siren\"",
             NULL),
        1);
    /* That of the fan is nobody's area: its module has none. */
    assert_int_equal(seen(&b.r, "root/alarm", "\"point\":\"fan\",\"area\":null", NULL), 1);
    assert_int_equal(b.coils[1][0], 1); /* the beacon on the other module tells of it */
    assert_false(status(&b, "fan").wanted);
    behave(&b, RELAY, FAKE_OK);
    pass(&b.r, 15000);
    assert_false(status(&b, "siren").faulty || status(&b, "fan").faulty);
    assert_int_equal(seen(&b.r, "root/alarm", "\"event\":\"clear\"", NULL), 2);
    assert_true(b.coils[0][0] == 0 && b.coils[0][1] == 0 && b.coils[1][0] == 0);
    assert_int_equal(rules_level(b.r.pipeline.rules), LEVEL_NONE);
    rig_end(&b.r);
}

static void an_exception_is_a_fault_of_that_output_only(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    behave(&b, RELAY, FAKE_EXCEPTION);
    pass(&b.r, 20000);
    assert_true(status(&b, "siren").faulty);
    assert_false(status(&b, "beacon").faulty);
    assert_true(status(&b, "beacon").known);
    rig_end(&b.r);
}

static void a_restart_goes_on_where_it_was(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    b.r.a = 60;
    pass(&b.r, 3000);
    behave(&b, SECOND, FAKE_SILENT);
    pass(&b.r, 40000);
    assert_true(status(&b, "beacon").faulty);
    assert_int_equal(pipeline_close(&b.r.pipeline), RG_OK);
    b.coils[0][0] = 0;
    behave(&b, 0,
           FAKE_SILENT); /* the detector says nothing any more: the alarms stand, and so do the outputs */
    rig_open(&b.r);
    pass(&b.r, 1000);
    assert_true(b.coils[0][0] == 1 && b.coils[0][1] == 1);
    assert_int_equal(seen(&b.r, "root/alarm", "\"point\":\"beacon\",\"area\":\"shop\"", NULL), 1);
    behave(&b, SECOND, FAKE_OK);
    pass(&b.r, 15000);
    assert_int_equal(b.coils[1][0], 1);
    assert_int_equal(seen(&b.r, "root/alarm", "\"rule\":\"output\",\"point\":\"beacon\"", NULL), 2);
    assert_int_equal(seen(&b.r, "root/alarm", "\"event\":\"clear\"", NULL), 1);
    rig_end(&b.r);
}

/* ---- reload ---- */

static void a_reload_switches_nothing_and_keeps_faults(void **state)
{
    struct site_output outputs[3];
    struct site next;
    struct bed b;
    unsigned writes;

    (void)state;
    begin(&b, ALL);
    b.r.a = 60;
    behave(&b, SECOND, FAKE_SILENT);
    pass(&b.r, 40000);
    assert_int_equal(actuate_silence(&b.r.pipeline, 0, "li"), RG_OK);
    pass(&b.r, 1000);
    assert_int_equal(b.coils[0][0], 0);
    writes = b.writes;
    next = b.r.site.site;
    assert_int_equal(pipeline_take(&b.r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&b.r, 3000);
    assert_true(status(&b, "siren").silenced && status(&b, "beacon").faulty);
    assert_int_equal(b.writes, writes);
    assert_int_equal(seen(&b.r, "root/alarm", "\"rule\":\"output\"", NULL), 1);
    memcpy(outputs, next.outputs, sizeof outputs);
    outputs[2].fault_level = LEVEL_RED; /* its alarm is another one, and news to the siren */
    next.outputs = outputs;
    assert_int_equal(pipeline_take(&b.r.pipeline, &next, "89ab", NULL), RG_OK);
    pass(&b.r, 3000);
    assert_true(status(&b, "beacon").faulty);
    assert_int_equal(
        seen(&b.r, "root/alarm", "\"event\":\"clear\",\"level\":\"none\",\"was\":\"yellow\"", NULL), 1);
    assert_int_equal(seen(&b.r, "root/alarm",
                          "\"event\":\"raise\",\"level\":\"red\",\"was\":\"none\",\"acked\":false,"
                          "\"shelved\":false,\"rule\":\"output\",\"point\":\"beacon\"",
                          NULL),
                     1);
    assert_false(status(&b, "siren").silenced);
    assert_int_equal(b.coils[0][0], 1);
    rig_end(&b.r);
}

/* Nothing is written twice, and what comes of it is heard. */
static void what_is_under_way_over_a_reload(void **state)
{
    struct bed b;
    unsigned writes;

    (void)state;
    begin(&b, ALL);
    b.r.a = 30;
    pass(&b.r, 3000);
    writes = b.writes;
    fake_device(b.r.fake, RELAY)->takes_ms = 300;
    b.r.a = 60;
    while (b.writes == writes)
        pass(&b.r, 10);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pipeline_take(&b.r.pipeline, &b.r.site.site, "4567", NULL), RG_OK);
        pass(&b.r, 50);
    }
    assert_int_equal(status(&b, "siren").writes, 1);
    pass(&b.r, 3000);
    assert_int_equal(b.writes, writes + 1);
    assert_int_equal(status(&b, "siren").writes, 2);
    assert_int_equal(status(&b, "siren").errors, 0);
    assert_true(status(&b, "siren").on && b.coils[0][0] == 1);
    rig_end(&b.r);
}

/* An output that is gone is not written to any more, not by what waited either; nor one whose words have changed meanwhile by the
 * old ones. */
static void what_waits_for_outputs_that_change(void **state)
{
    struct site_output outputs[3];
    struct site next;
    struct bed b;

    (void)state;
    begin(&b, ALL);
    pass(&b.r, 3000);
    fake_device(b.r.fake, RELAY)->takes_ms = 500;
    b.r.a = 30;
    while (b.coils[0][1] == 0) /* the fan is being written, the beacon waits for the line */
        pass(&b.r, 10);
    assert_int_equal(b.coils[1][0], 0);
    next = b.r.site.site;
    memcpy(outputs, next.outputs, sizeof outputs);
    next.outputs = outputs;
    outputs[1].on = 7; /* what is under way would have said otherwise */
    next.output_count = 2;
    assert_int_equal(pipeline_take(&b.r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&b.r, 4000);
    assert_int_equal(b.coils[1][0], 0);
    assert_int_equal(b.coils[0][1], 7);
    assert_true(status(&b, "fan").on && !status(&b, "fan").faulty);
    rig_end(&b.r);
}

/* ---- the end ---- */

static void done_cb(void *arg)
{
    ((struct bed *)arg)->done++;
}

static void released_when_all_are_written(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    b.r.a = 60;
    pass(&b.r, 2000);
    actuate_release(&b.r.pipeline, NULL, APP_OUTPUT_MS, done_cb, &b);
    assert_int_equal(b.done, 0); /* never from inside */
    pass(&b.r, 100);
    assert_int_equal(b.done, 1);
    assert_true(b.coils[0][0] == 0 && b.coils[0][1] == 1 && b.coils[1][0] == 1);
    pass(&b.r, 20000);
    assert_int_equal(b.done, 1);
    actuate_resume(&b.r.pipeline);
    pass(&b.r, 500);
    assert_true(b.coils[0][0] == 1 && b.coils[0][1] == 1 && b.coils[1][0] == 1);
    rig_end(&b.r);
}

static void a_release_waits_no_longer_than_it_was_told(void **state)
{
    struct bed b;
    int64_t began_ms;

    (void)state;
    begin(&b, ALL);
    pass(&b.r, 2000);
    fake_bus(b.r.fake, 0)->behaviour = FAKE_UNREACHABLE;
    fake_bus(b.r.fake, 0)->refused_ms = 5000;
    began_ms = loop_mono_ms(b.r.loop);
    actuate_release(&b.r.pipeline, NULL, APP_OUTPUT_MS, done_cb, &b);
    while (b.done == 0)
        pass(&b.r, 10);
    assert_in_range(loop_mono_ms(b.r.loop) - began_ms, 0, APP_OUTPUT_MS + 10);
    rig_end(&b.r);
}

static void without_outputs_a_release_is_over_at_once(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT RULE);
    actuate_release(&b.r.pipeline, NULL, APP_OUTPUT_MS, done_cb, &b);
    pass(&b.r, 5);
    assert_int_equal(b.done, 1);
    rig_end(&b.r);
}

/* ---- whatever happens ---- */

#define SEEDS 4
#define CHAOS_MS 120000

/* Random levels and sick modules and lines; then all are well: every relay is as the alarms have it, no fault is left, and
 * the detector was read on its grid while the modules were mute. */
static void one_world(uint64_t seed)
{
    static const enum fake_behaviour behaviours[] = {FAKE_OK,        FAKE_OK,     FAKE_SILENT, FAKE_EXCEPTION,
                                                     FAKE_MALFORMED, FAKE_BROKEN, FAKE_OK};
    static const double values[] = {0, 30, 60};
    struct rg_random random;
    struct bed b;

    random_seed(&random, seed);
    begin(&b, ALL);
    for (int64_t t = 0; t < CHAOS_MS;) {
        int64_t ms = 100 + (int64_t)random_below(&random, 15000);

        behave(&b, RELAY, behaviours[random_below(&random, RG_COUNT(behaviours))]);
        behave(&b, SECOND, behaviours[random_below(&random, RG_COUNT(behaviours))]);
        b.r.a = values[random_below(&random, RG_COUNT(values))];
        b.coils[random_below(&random, 2)][random_below(&random, 2)] ^= 1;
        pass(&b.r, ms);
        t += ms;
        if (random_below(&random, 5) == 0)
            assert_int_equal(pipeline_take(&b.r.pipeline, &b.r.site.site, "x", NULL), RG_OK);
    }
    behave(&b, RELAY, FAKE_OK);
    behave(&b, SECOND, FAKE_OK);
    pass(&b.r, 45000); /* the longest gap of a bus that was down, and of a module */
    for (uint32_t i = 0; i < b.r.site.site.output_count; i++) {
        const struct site_output *o = &b.r.site.site.outputs[i];
        struct output_status s;

        outputs_status(b.r.pipeline.outputs, i, &s);
        assert_false(s.faulty);
        assert_int_equal(s.wanted, rules_output_level(b.r.pipeline.rules, i, NULL) >= o->from);
        assert_int_equal(b.coils[o->device - 1][o->address], s.wanted);
    }
    rig_end(&b.r);
}

static uint64_t seed_at_work;

static int tell_seed(void **state)
{
    (void)state;
    if (seed_at_work != 0)
        print_error("the seed at work last: %llu\n", (unsigned long long)seed_at_work);
    return 0;
}

static void random_worlds(void **state)
{
    (void)state;
    for (seed_at_work = 1; seed_at_work <= SEEDS; seed_at_work++)
        one_world(seed_at_work);
    seed_at_work = 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(alarms_switch_relays_at_once),
        cmocka_unit_test(a_fault_is_told_and_others_follow_it),
        cmocka_unit_test(an_exception_is_a_fault_of_that_output_only),
        cmocka_unit_test(a_restart_goes_on_where_it_was),
        cmocka_unit_test(a_reload_switches_nothing_and_keeps_faults),
        cmocka_unit_test(what_is_under_way_over_a_reload),
        cmocka_unit_test(what_waits_for_outputs_that_change),
        cmocka_unit_test(released_when_all_are_written),
        cmocka_unit_test(a_release_waits_no_longer_than_it_was_told),
        cmocka_unit_test(without_outputs_a_release_is_over_at_once),
        cmocka_unit_test_teardown(random_worlds, tell_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
