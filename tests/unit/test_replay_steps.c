/* LINK rg_test_past */
/* When something was taken in, by the clock of today, though the clock was set since: of the steps alone, and of windows that are filled. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "past.h"
#include "replay/prime.h"
#include "replay/steps.h"
#include "support_site.h"

#define WALL INT64_C(1763780000000)
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

struct bed {
    struct support_site s;
    struct past past;
    struct rules *r;
    int64_t mono, offset;
    char told[256];
};

static struct moment now(const struct bed *b)
{
    return (struct moment){b->mono, b->mono + b->offset};
}

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct bed *b = arg;
    size_t length = strlen(b->told);

    (void)snprintf(b->told + length, sizeof b->told - length, "%s %s %g;", alarm_event_name(c->event),
                   level_name(c->alarm->level), c->value);
}

static void begin(struct bed *b)
{
    *b = (struct bed){.mono = 5 * MINUTE, .offset = WALL};
    past_init(&b->past);
    support_site_build(
        &b->s, "device d poll=60s\npoint a type=f64\nrule high points=d.a max=30m above=blue:50,red:90\n");
}

static void end(struct bed *b)
{
    rules_destroy(b->r);
    past_free(&b->past);
    support_site_free(&b->s);
}

/* A reading each minute. */
static void readings(struct bed *b, int minutes, double value)
{
    for (int i = 0; i < minutes; i++) {
        struct sample sample = {.point = 0, .value = value};
        struct frame frame = {.device = 0, .at = now(b), .heard = true, .count = 1, .samples = &sample};

        past_frame(&b->past, &b->s.site, &frame);
        b->mono += MINUTE;
    }
}

/* The clock is set; the daemon tells it up to a second later. */
static void set(struct bed *b, int64_t step, bool late)
{
    char more[64];

    b->offset += step;
    if (late) {
        b->mono -= 500;
        readings(b, 1, 1);
        b->mono -= MINUTE - 500;
    }
    (void)text_format(more, sizeof more, ",\"step_ms\":%lld,\"synced\":true", (long long)step);
    past_event(&b->past, "clock", more, now(b), 0);
}

/* What the window says after a restart now, of one more reading of 0. */
static const char *after_restart(struct bed *b, uint64_t *frames)
{
    const struct replay_past past = past_open(&b->past);
    struct replay_primed primed;
    char why[REPLAY_WHY];
    struct sample sample = {.point = 0};
    struct frame frame = {.device = 0, .heard = true, .count = 1, .samples = &sample};

    b->told[0] = '\0';
    assert_int_equal(rules_create(&b->s.site, 1, change_cb, b, &b->r), RG_OK);
    assert_int_equal(replay_prime(b->r, &b->s.site, &past, now(b), INT64_MAX, &primed, why), RG_OK);
    rules_start(b->r, now(b));
    frame.at = now(b);
    rules_frame(b->r, &frame);
    *frames = primed.frames;
    return b->told;
}

/* High readings of the last ten minutes are found again whatever the clock was set to in between, and those of two hours ago are not. */
static void windows_after_settings(void **state)
{
    static const int64_t steps[] = {0,    2000,  -2000,     7 * MINUTE, -7 * MINUTE,
                                    HOUR, -HOUR, 11 * HOUR, -11 * HOUR};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(steps); i++) {
        for (int when = 0; when < 3; when++) {
            for (int late = 0; late < 2; late++) {
                uint64_t frames = 0;
                struct bed b;

                begin(&b);
                readings(&b, 60, 95); /* long ago: what a clock put back would bring back */
                if (when == 0)
                    set(&b, steps[i], late);
                readings(&b, 100, 1);
                if (when == 1)
                    set(&b, steps[i], late);
                readings(&b, 10, 60);
                if (when == 2)
                    set(&b, steps[i], late);
                readings(&b, 5, 1);
                assert_string_equal(after_restart(&b, &frames), "raise blue 60;");
                assert_in_range(frames, 32, 36);
                end(&b);
            }
        }
    }
}

static void several_settings(void **state)
{
    uint64_t frames = 0;
    struct bed b;

    (void)state;
    begin(&b);
    readings(&b, 60, 95);
    readings(&b, 20, 1);
    for (int i = 0; i < 3 * REPLAY_STEPS_MAX; i++) { /* old ones are forgotten */
        set(&b, i % 2 ? -MINUTE : MINUTE, false);
        readings(&b, 1, 1);
    }
    set(&b, 3 * HOUR, true);
    readings(&b, 4, 60);
    set(&b, -5 * HOUR, true);
    readings(&b, 4, 1);
    set(&b, 20 * MINUTE, false);
    readings(&b, 4, 1);
    assert_string_equal(after_restart(&b, &frames), "raise blue 60;");
    end(&b);
}

/* A clock that was never set before: what was taken by it has no place. The windows have a hole, and say nothing. */
static void before_the_first_setting(void **state)
{
    uint64_t frames = 0;
    struct bed b;

    (void)state;
    begin(&b);
    b.offset = 0;
    readings(&b, 20, 60);
    set(&b, WALL, false);
    readings(&b, 5, 1);
    assert_string_equal(after_restart(&b, &frames), "");
    assert_int_equal(frames, 5);
    end(&b);
}

static void damaged_events(void **state)
{
    struct replay_steps s;
    struct bed b;
    char why[REPLAY_WHY];
    struct history_entry record = {.turn = 1, .ts = 7};
    int64_t ts = 0;

    (void)state;
    begin(&b);
    past_event(&b.past, "clock", ",\"step_ms\":\"far\"", now(&b), 0);
    past_event(&b.past, "clock", ",\"synced\":true", now(&b), 0);
    past_event(&b.past, "clock", ",\"step_ms\":[[[", now(&b), 0);
    const struct replay_past past = past_open(&b.past);
    assert_int_equal(replay_steps_read(&s, &past, now(&b), HOUR, INT64_MAX, why), RG_OK);
    assert_int_equal(s.count, 0);
    assert_true(replay_steps_place(&s, &record, &ts));
    assert_int_equal(ts, 7);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_after_settings),
        cmocka_unit_test(several_settings),
        cmocka_unit_test(before_the_first_setting),
        cmocka_unit_test(damaged_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
