/* LINK rg_output rg_test_support */
/* All outputs of a site: what they want, modules that take turns, silence, tests, reload, stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "output/output.h"
#include "support_site.h"

#define PLANT                                                                                                \
    "area hall\n"                                                                                            \
    "device relay unit=1\n"                                                                                  \
    "device other unit=2\n"
#define SIREN "output siren device=relay coil=0 area=hall from=orange silence=1 stop=off assert=10s\n"
#define FAN "output fan device=relay coil=1 area=hall from=yellow stop=keep assert=10s\n"
#define BEACON "output beacon device=other holding=7 on=170 off=85 area=hall from=blue stop=on assert=20s\n"

enum { ASKS = 64 };

struct bed {
    struct support_site s;
    struct outputs *o;
    struct moment now;
    struct output_ask asked[ASKS]; /* not answered yet, in order */
    size_t count;
    enum rg_err refuses; /* what the port says */
    char told[512];
};

static void say(struct bed *b, const char *text)
{
    size_t length = strlen(b->told);

    (void)snprintf(b->told + length, sizeof b->told - length, "%s%s", length ? " " : "", text);
}

static enum rg_err ask_cb(void *arg, const struct output_ask *ask)
{
    struct bed *b = arg;

    if (b->refuses != RG_OK)
        return b->refuses;
    assert_true(b->count < ASKS);
    b->asked[b->count++] = *ask;
    return RG_OK;
}

static void news_cb(void *arg, uint32_t output, enum drive_news news, const char *detail)
{
    static const char *const words[] = {"?", "confirmed", "switched", "otherwise", "fault"};
    struct bed *b = arg;
    char text[200];

    (void)snprintf(text, sizeof text, "%s:%s%s%s%s", b->s.site.outputs[output].name, words[news],
                   detail[0] ? "(" : "", detail, detail[0] ? ")" : "");
    say(b, text);
}

static void begin(struct bed *b, const char *text)
{
    const struct output_port port = {.arg = b, .ask = ask_cb, .news = news_cb};

    *b = (struct bed){.now = {1000, 7001000}};
    support_site_build(&b->s, text);
    assert_int_equal(outputs_create(&b->s.site, &port, b->now.mono_ms, 1, &b->o), RG_OK);
}

static void end(struct bed *b)
{
    outputs_destroy(b->o);
    support_site_free(&b->s);
}

static uint32_t index_of(const struct bed *b, const char *name)
{
    return support_site_output(&b->s.site, name);
}

/* Lets time pass, whatever becomes due on the way. */
static void pass(struct bed *b, int64_t ms)
{
    int64_t end_ms = b->now.mono_ms + ms;

    while (outputs_next_ms(b->o) <= end_ms) {
        int64_t step = outputs_next_ms(b->o) - b->now.mono_ms;

        if (step > 0) {
            b->now.mono_ms += step;
            b->now.wall_ms += step;
        }
        outputs_tick(b->o, b->now);
    }
    b->now.wall_ms += end_ms - b->now.mono_ms;
    b->now.mono_ms = end_ms;
}

/* Writes what waits for an answer: "relay:0=1!" a write, "relay:0?" a read-back; then nothing waits. */
static struct output_ask taken(struct bed *b, char *out, size_t size)
{
    struct output_ask ask = b->asked[0];

    assert_true(b->count > 0);
    memmove(b->asked, b->asked + 1, --b->count * sizeof *b->asked);
    if (ask.write)
        (void)snprintf(out, size, "%s:%u=%u%s", b->s.site.devices[ask.device].name, ask.address, ask.value,
                       ask.urgent ? "!" : "");
    else
        (void)snprintf(out, size, "%s:%u?", b->s.site.devices[ask.device].name, ask.address);
    return ask;
}

/* The next thing asked must be this; it is answered. */
static void expect(struct bed *b, const char *wanted, enum output_result result, uint16_t value)
{
    char text[80];
    struct output_ask ask = taken(b, text, sizeof text);

    assert_string_equal(text, wanted);
    outputs_answer(ask.slot, result, value, result == OUTPUT_GOOD ? NULL : "no answer", b->now);
}

static void told(struct bed *b, const char *wanted)
{
    assert_string_equal(b->told, wanted);
    b->told[0] = '\0';
}

static void follow(struct bed *b, const char *output, enum level level, uint64_t announced)
{
    outputs_follow(b->o, index_of(b, output), level, announced, b->now);
    outputs_tick(b->o, b->now);
}

/* Its disk held the daemon up for long, or it ran for long before a reload brought the output: nobody has asked the module yet. */
static void what_was_never_asked_is_no_fault(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN);
    b.now.mono_ms += 60000;
    b.now.wall_ms += 60000;
    outputs_tick(b.o, b.now);
    told(&b, "");
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0?", OUTPUT_GOOD, 0);
    told(&b, "siren:confirmed");
    end(&b);
    /* And one that is asked and says nothing is one, in its time. */
    begin(&b, PLANT SIREN);
    b.now.mono_ms += 60000;
    b.now.wall_ms += 60000;
    outputs_tick(b.o, b.now);
    pass(&b, DRIVE_DOUBT_MS - 1);
    told(&b, "");
    pass(&b, 1);
    told(&b, "siren:fault");
    end(&b);
}

/* A siren that was switched on by an orange alarm. */
static void begin_sounding(struct bed *b)
{
    begin(b, PLANT SIREN);
    follow(b, "siren", LEVEL_ORANGE, 1);
    expect(b, "relay:0=1!", OUTPUT_GOOD, 0);
    expect(b, "relay:0?", OUTPUT_GOOD, 1);
    told(b, "siren:confirmed");
}

/* ---- what is wanted ---- */

static void wanted_by_level_silence_and_test(void **state)
{
    static const struct {
        struct output_wish wish;
        bool wanted;
    } rows[] = {
        {{LEVEL_NONE, LEVEL_BLUE, false, false}, false},
        {{LEVEL_BLUE, LEVEL_BLUE, false, false}, true},
        {{LEVEL_RED, LEVEL_BLUE, false, false}, true},
        {{LEVEL_YELLOW, LEVEL_ORANGE, false, false}, false},
        {{LEVEL_ORANGE, LEVEL_ORANGE, true, false}, false},
        {{LEVEL_RED, LEVEL_ORANGE, true, true}, true},
        {{LEVEL_NONE, LEVEL_ORANGE, false, true}, true},
        {{LEVEL_NONE, LEVEL_NONE, false, false}, false},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++)
        assert_int_equal(output_wanted(&rows[i].wish), rows[i].wanted);
}

static void follows_its_level_at_once(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN BEACON);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    expect(&b, "other:7=85!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 0);
    expect(&b, "other:7?", OUTPUT_GOOD, 85);
    told(&b, "siren:confirmed beacon:confirmed");
    follow(&b, "siren", LEVEL_YELLOW, 0);
    follow(&b, "beacon", LEVEL_YELLOW, 1);
    expect(&b, "other:7=170!", OUTPUT_GOOD, 0);
    expect(&b, "other:7?", OUTPUT_GOOD, 170);
    assert_int_equal(b.count, 0);
    follow(&b, "siren", LEVEL_RED, 1);
    expect(&b, "relay:0=1!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 1);
    follow(&b, "siren", LEVEL_NONE, 1);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 0);
    told(&b, "beacon:switched siren:switched siren:switched");
    end(&b);
}

static void a_register_with_neither_value_is_written_again(void **state)
{
    struct bed b;
    struct output_status status;

    (void)state;
    begin(&b, PLANT BEACON);
    outputs_tick(b.o, b.now);
    expect(&b, "other:7=85!", OUTPUT_GOOD, 0);
    expect(&b, "other:7?", OUTPUT_GOOD, 85);
    pass(&b, 20000);
    expect(&b, "other:7?", OUTPUT_GOOD, 99);
    told(&b, "beacon:confirmed beacon:otherwise(holds 99)");
    outputs_status(b.o, 0, &status);
    assert_false(status.known);
    assert_string_equal(status.detail, "holds 99");
    expect(&b, "other:7=85!", OUTPUT_GOOD, 0);
    expect(&b, "other:7?", OUTPUT_GOOD, 85);
    outputs_status(b.o, 0, &status);
    assert_true(status.known && !status.on);
    assert_null(status.detail);
    assert_int_equal(status.otherwise, 1);
    end(&b);
}

/* ---- silence ---- */

static void silenced_until_the_next_announcement(void **state)
{
    struct bed b;

    (void)state;
    begin_sounding(&b);
    assert_int_equal(outputs_silence(b.o, 0, b.now), RG_OK);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 0);
    assert_int_equal(outputs_silence(b.o, 0, b.now), RG_ESTATE);
    follow(&b, "siren", LEVEL_ORANGE, 1); /* nothing new */
    pass(&b, 9000);
    assert_int_equal(b.count, 0);
    follow(&b, "siren", LEVEL_ORANGE, 2); /* one more alarm of that level */
    expect(&b, "relay:0=1!", OUTPUT_GOOD, 0);
    end(&b);
}

static void silence_ends_with_what_it_silenced(void **state)
{
    struct bed b;
    struct output_status status;

    (void)state;
    begin_sounding(&b);
    assert_int_equal(outputs_silence(b.o, 0, b.now), RG_OK);
    follow(&b, "siren", LEVEL_YELLOW, 1);
    outputs_status(b.o, 0, &status);
    assert_false(status.silenced);
    assert_int_equal(status.level, LEVEL_YELLOW);
    end(&b);
}

static void what_may_not_be_silenced(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT FAN SIREN);
    follow(&b, "fan", LEVEL_RED, 1);
    assert_int_equal(outputs_silence(b.o, index_of(&b, "fan"), b.now), RG_EPERM);
    assert_int_equal(outputs_silence(b.o, index_of(&b, "siren"), b.now), RG_ESTATE);
    end(&b);
}

/* ---- test ---- */

static void a_test_ends_by_itself(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN);
    assert_int_equal(outputs_test(b.o, 0, 0, b.now), RG_ERANGE);
    assert_int_equal(outputs_test(b.o, 0, OUTPUT_TEST_MAX_MS + 1, b.now), RG_ERANGE);
    assert_int_equal(outputs_test(b.o, 0, 5000, b.now), RG_OK);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=1!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 1);
    pass(&b, 4999);
    assert_int_equal(b.count, 0);
    pass(&b, 1);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    end(&b);
}

static void an_alarm_during_a_test_keeps_it_on(void **state)
{
    struct bed b;
    struct output_status status;

    (void)state;
    begin(&b, PLANT SIREN);
    assert_int_equal(outputs_test(b.o, 0, 5000, b.now), RG_OK);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=1!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 1);
    follow(&b, "siren", LEVEL_RED, 1);
    pass(&b, 6000);
    assert_int_equal(b.count, 0);
    outputs_status(b.o, 0, &status);
    assert_true(status.wanted && !status.tested);
    end(&b);
}

static void silence_ends_a_test_too(void **state)
{
    struct bed b;

    (void)state;
    begin_sounding(&b);
    assert_int_equal(outputs_test(b.o, 0, 60000, b.now), RG_OK);
    assert_int_equal(outputs_silence(b.o, 0, b.now), RG_OK);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    end(&b);
}

/* ---- modules ---- */

static void one_transaction_at_a_time_on_a_module(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN FAN BEACON);
    outputs_tick(b.o, b.now);
    assert_int_equal(b.count, 2); /* one of each module */
    outputs_tick(b.o, b.now);
    assert_int_equal(b.count, 2);
    end(&b);
}

static void a_change_goes_first(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN FAN);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    expect(&b, "relay:1=0!", OUTPUT_GOOD, 0); /* urgent, before the other's read-back */
    follow(&b, "siren", LEVEL_RED, 1);
    expect(&b, "relay:0?", OUTPUT_GOOD, 0);
    expect(&b, "relay:0=1!", OUTPUT_GOOD, 0);
    expect(&b, "relay:1?", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 1);
    assert_int_equal(b.count, 0);
    end(&b);
}

/* Two outputs on a mute module: one time-out for each gap, both become faulty, and both are written when it is back. */
static void a_mute_module_costs_one_time_out_for_each_gap(void **state)
{
    struct bed b;
    struct output_status status;
    unsigned asked = 0;

    (void)state;
    begin(&b, PLANT SIREN FAN);
    outputs_tick(b.o, b.now);
    for (int second = 0; second < 60; second++) {
        while (b.count > 0) {
            char text[80];
            struct output_ask ask = taken(&b, text, sizeof text);

            asked++;
            outputs_answer(ask.slot, OUTPUT_SILENT, 0, "no answer", b.now);
        }
        pass(&b, 1000);
    }
    told(&b, "siren:fault(no answer) fan:fault(no answer)");
    assert_in_range(asked, 60 / 10, 60 / 5 + 5);
    while (b.count == 0)
        pass(&b, 1000);
    for (unsigned i = 0; i < 4; i++) {
        char text[80];
        struct output_ask ask = taken(&b, text, sizeof text);

        outputs_answer(ask.slot, OUTPUT_GOOD, 0, NULL, b.now);
    }
    assert_int_equal(b.count, 0);
    for (uint32_t i = 0; i < 2; i++) {
        outputs_status(b.o, i, &status);
        assert_true(!status.faulty && status.known && !status.on);
    }
    end(&b);
}

static void a_change_does_not_wait_for_a_mute_module(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN FAN);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=0!", OUTPUT_SILENT, 0);
    assert_int_equal(b.count, 0); /* the other one waits too */
    follow(&b, "fan", LEVEL_RED, 1);
    expect(&b, "relay:1=1!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0); /* it answers: nothing waits any more */
    end(&b);
}

static void one_refused_output_leaves_the_others_alone(void **state)
{
    struct bed b;
    struct output_status status;

    (void)state;
    begin(&b, PLANT SIREN FAN);
    outputs_tick(b.o, b.now);
    for (int i = 0; i < 60; i++) {
        while (b.count > 0) {
            char text[80];
            struct output_ask ask = taken(&b, text, sizeof text);

            outputs_answer(ask.slot, ask.address == 0 ? OUTPUT_REFUSED : OUTPUT_GOOD, 0, "refused", b.now);
        }
        pass(&b, 1000);
    }
    told(&b, "fan:confirmed siren:fault(refused)");
    outputs_status(b.o, index_of(&b, "fan"), &status);
    assert_int_equal(status.writes, 1);
    end(&b);
}

static void a_port_that_takes_nothing_is_a_silence(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN FAN);
    b.refuses = RG_EFULL;
    outputs_tick(b.o, b.now);
    pass(&b, 9000);
    told(&b, "siren:fault(bounded queue or buffer is full) fan:fault(bounded queue or buffer is full)");
    b.refuses = RG_OK;
    pass(&b, 10000);
    assert_int_equal(b.count, 1);
    end(&b);
}

/* ---- reload ---- */

struct reload {
    struct bed before, after;
};

static void reload(struct reload *r, const char *text)
{
    const struct output_port port = {.arg = &r->after, .ask = ask_cb, .news = news_cb};

    r->after = (struct bed){.now = r->before.now};
    support_site_build(&r->after.s, text);
    assert_int_equal(outputs_create(&r->after.s.site, &port, 1000, 2, &r->after.o), RG_OK);
    outputs_halt(r->before.o);
    outputs_inherit(r->after.o, r->before.o, r->after.now);
}

static void reload_end(struct reload *r)
{
    end(&r->before);
    end(&r->after);
}

static void a_reload_does_not_switch_what_stays(void **state)
{
    struct reload r;
    struct output_status status;

    (void)state;
    begin_sounding(&r.before);
    reload(&r, "bus bus\narea hall\ndevice new unit=9\ndevice again unit=1\n"
               "output fan device=new coil=3 area=hall\n"
               "output horn device=again coil=0 area=hall from=yellow silence=1 assert=5s\n");
    outputs_follow(r.after.o, 1, LEVEL_ORANGE, 0, r.after.now);
    outputs_tick(r.after.o, r.after.now);
    expect(&r.after, "new:3=0!", OUTPUT_GOOD, 0);
    expect(&r.after, "new:3?", OUTPUT_GOOD, 0);
    assert_int_equal(r.after.count, 0);
    outputs_status(r.after.o, 1, &status);
    assert_true(status.wanted && status.on && status.known);
    pass(&r.after, 5000); /* as often as is now asked for */
    expect(&r.after, "again:0?", OUTPUT_GOOD, 1);
    reload_end(&r);
}

static void silence_and_test_go_on(void **state)
{
    struct reload r;

    (void)state;
    begin(&r.before, PLANT SIREN FAN);
    follow(&r.before, "siren", LEVEL_RED, 5);
    assert_int_equal(outputs_silence(r.before.o, 0, r.before.now), RG_OK);
    assert_int_equal(outputs_test(r.before.o, 1, 8000, r.before.now), RG_OK);
    reload(&r, PLANT FAN SIREN);
    outputs_follow(r.after.o, 0, LEVEL_NONE, 0, r.after.now);
    outputs_follow(r.after.o, 1, LEVEL_RED, 0, r.after.now);
    outputs_tick(r.after.o, r.after.now);
    expect(&r.after, "relay:1=1!", OUTPUT_GOOD, 0);
    expect(&r.after, "relay:0=0!", OUTPUT_GOOD, 0);
    expect(&r.after, "relay:1?", OUTPUT_GOOD, 1);
    expect(&r.after, "relay:0?", OUTPUT_GOOD, 0);
    pass(&r.after, 8000);
    expect(&r.after, "relay:1=0!", OUTPUT_GOOD, 0);
    reload_end(&r);
}

static void what_was_under_way_is_written_again(void **state)
{
    struct reload r;
    char text[80];
    struct output_ask old;

    (void)state;
    begin(&r.before, PLANT SIREN);
    outputs_tick(r.before.o, r.before.now);
    old = taken(&r.before, text, sizeof text);
    reload(&r, PLANT SIREN);
    outputs_answer(old.slot, OUTPUT_SILENT, 0, "cancelled", r.before.now); /* nobody is told */
    outputs_tick(r.before.o, r.before.now);
    assert_int_equal(r.before.count, 0);
    outputs_tick(r.after.o, r.after.now);
    expect(&r.after, "relay:0=0!", OUTPUT_GOOD, 0);
    reload_end(&r);
}

static void other_values_mean_another_state(void **state)
{
    struct reload r;

    (void)state;
    begin_sounding(&r.before);
    reload(&r, "area hall\ndevice relay unit=1\noutput siren device=relay coil=0 on=0 off=1 area=hall\n");
    outputs_tick(r.after.o, r.after.now);
    expect(&r.after, "relay:0=1!", OUTPUT_GOOD, 0);
    reload_end(&r);
}

/* ---- the end ---- */

static void released_to_their_stop_states(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN FAN BEACON);
    follow(&b, "fan", LEVEL_RED, 1);
    while (b.count > 0) {
        char text[80];
        struct output_ask ask = taken(&b, text, sizeof text);
        bool on = ask.address == 1;

        outputs_answer(ask.slot, OUTPUT_GOOD, on ? 1 : ask.address == 7 ? 85 : 0, NULL, b.now);
    }
    assert_true(outputs_released(b.o)); /* nobody was let go yet */
    outputs_release(b.o, NULL, b.now);
    assert_false(outputs_released(b.o));
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    expect(&b, "other:7=170!", OUTPUT_GOOD, 0);
    assert_true(outputs_released(b.o));
    assert_int_equal(b.count, 0);
    follow(&b, "siren", LEVEL_RED, 2);
    assert_int_equal(b.count, 0);
    assert_true(outputs_next_ms(b.o) == INT64_MAX);
    outputs_resume(b.o, b.now);
    expect(&b, "relay:1=1!", OUTPUT_GOOD, 0); /* as the alarms that came meanwhile have it */
    expect(&b, "other:7=85!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0=1!", OUTPUT_GOOD, 0);
    end(&b);
}

static void a_mute_module_ends_the_release(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, PLANT SIREN FAN);
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=0!", OUTPUT_SILENT, 0);
    outputs_release(b.o, NULL, b.now);
    expect(&b, "relay:1=0!", OUTPUT_SILENT, 0);
    expect(&b, "relay:0=0!", OUTPUT_SILENT, 0);
    assert_true(outputs_released(b.o));
    assert_int_equal(b.count, 0);
    end(&b);
}

static void only_what_goes_is_released(void **state)
{
    struct bed b;
    struct support_site next;

    (void)state;
    begin(&b, PLANT SIREN BEACON);
    support_site_build(&next, PLANT "output horn device=relay coil=0 area=hall\n");
    outputs_tick(b.o, b.now);
    expect(&b, "relay:0=0!", OUTPUT_GOOD, 0);
    expect(&b, "other:7=85!", OUTPUT_GOOD, 0);
    expect(&b, "relay:0?", OUTPUT_GOOD, 0);
    outputs_release(b.o, &next.site, b.now);
    expect(&b, "other:7?", OUTPUT_GOOD, 85); /* it was under way */
    expect(&b, "other:7=170!", OUTPUT_GOOD, 0);
    assert_true(outputs_released(b.o));
    assert_int_equal(b.count, 0);
    support_site_free(&next);
    end(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_never_asked_is_no_fault),
        cmocka_unit_test(wanted_by_level_silence_and_test),
        cmocka_unit_test(follows_its_level_at_once),
        cmocka_unit_test(a_register_with_neither_value_is_written_again),
        cmocka_unit_test(silenced_until_the_next_announcement),
        cmocka_unit_test(silence_ends_with_what_it_silenced),
        cmocka_unit_test(what_may_not_be_silenced),
        cmocka_unit_test(a_test_ends_by_itself),
        cmocka_unit_test(an_alarm_during_a_test_keeps_it_on),
        cmocka_unit_test(silence_ends_a_test_too),
        cmocka_unit_test(one_transaction_at_a_time_on_a_module),
        cmocka_unit_test(a_change_goes_first),
        cmocka_unit_test(a_mute_module_costs_one_time_out_for_each_gap),
        cmocka_unit_test(a_change_does_not_wait_for_a_mute_module),
        cmocka_unit_test(one_refused_output_leaves_the_others_alone),
        cmocka_unit_test(a_port_that_takes_nothing_is_a_silence),
        cmocka_unit_test(a_reload_does_not_switch_what_stays),
        cmocka_unit_test(silence_and_test_go_on),
        cmocka_unit_test(what_was_under_way_is_written_again),
        cmocka_unit_test(other_values_mean_another_state),
        cmocka_unit_test(released_to_their_stop_states),
        cmocka_unit_test(a_mute_module_ends_the_release),
        cmocka_unit_test(only_what_goes_is_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
