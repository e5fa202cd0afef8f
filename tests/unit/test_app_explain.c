/* LINK rg_daemon rg_loop_virtual rg_test_support */
/* What the daemon answers to `explain`, and what it keeps in mind for it. */
#include "app_rig.h"

#include "app/command_explain.h"
#include "base/json_read.h"

#define DELAYED "rule r points=d.a above=yellow:20,red:50 deadband=1 on=3s off=5s message=high\n"

/* The answer; free with json_free. */
static struct json *ask(struct rig *r, const char *name)
{
    char text[256], error[256] = "";
    struct json *request, *answer = NULL;
    struct jsonw w;

    (void)snprintf(text, sizeof text, "{\"name\":\"%s\"}", name);
    assert_int_equal(json_parse(text, strlen(text), sizeof text, &request), RG_OK);
    jsonw_init(&w, 0);
    if (command_explain(&r->pipeline, request, &w, error, sizeof error) == RG_OK) {
        assert_int_equal(jsonw_error(&w), RG_OK);
        assert_int_equal(json_parse(w.text, w.length, w.length + 1, &answer), RG_OK);
    } else {
        assert_true(error[0] != '\0');
    }
    jsonw_free(&w);
    json_free(request);
    return answer;
}

static const char *word(const struct json *json, const char *key)
{
    const char *text = json_string(json_get(json, key));

    return text ? text : "";
}

static const struct json *last_of(const struct json *list)
{
    const struct json *last = NULL;

    for (const struct json *i = json_first(list); i; i = json_next(i))
        last = i;
    return last;
}

static void from_quiet_to_alarm(void **state)
{
    struct json *answer;
    const struct json *watch, *cause;
    struct rig r;
    char alarm[ALARM_ID_MAX];

    (void)state;
    rig_begin(&r, PLANT DELAYED);
    pass(&r, 2500);
    answer = ask(&r, "d.a");
    watch = json_first(json_get(answer, "watches"));
    assert_string_equal(word(watch, "state"), "quiet");
    assert_string_equal(word(watch, "rule"), "r");
    assert_string_equal(word(watch, "where"), "test:1");
    assert_true(json_is_null(json_get(watch, "alarm")));
    assert_string_equal(word(last_of(json_get(answer, "watches")), "rule"), "offline");
    assert_string_equal(word(json_first(json_get(answer, "points")), "point"), "d.a");
    assert_true(json_size(json_get(json_first(json_get(answer, "points")), "samples")) >= 2);
    json_free(answer);

    r.a = 22;
    pass(&r, 2000);
    answer = ask(&r, "d.a");
    watch = json_first(json_get(answer, "watches"));
    assert_string_equal(word(watch, "state"), "rising");
    assert_int_equal(json_size(json_get(watch, "clocks")),
                     2); /* blue's, that no limit stands for, and yellow's */
    json_free(answer);

    pass(&r, 4000);
    answer = ask(&r, "d.a");
    watch = json_first(json_get(answer, "watches"));
    assert_string_equal(word(watch, "state"), "held");
    cause = json_get(json_get(watch, "alarm"), "last_change");
    assert_string_equal(word(cause, "event"), "raise");
    assert_string_equal(word(cause, "level"), "yellow");
    assert_true(json_double(json_get(cause, "value"), 0) == 22);
    assert_true(json_double(json_get(cause, "limit"), 0) == 20);
    assert_true(json_size(json_get(cause, "samples")) >= 3);
    assert_true(json_double(json_get(last_of(json_get(cause, "samples")), "value"), 0) == 22);
    (void)snprintf(alarm, sizeof alarm, "%s", word(json_get(watch, "alarm"), "alarm"));
    json_free(answer);

    /* By its alarm: that watch alone, with its point. */
    answer = ask(&r, alarm);
    assert_int_equal(json_size(json_get(answer, "watches")), 1);
    assert_int_equal(json_size(json_get(answer, "points")), 1);
    json_free(answer);

    r.a = 5;
    pass(&r, 10000);
    assert_null(ask(&r, alarm)); /* it has cleared */
    assert_null(evidence_cause(&r.pipeline.evidence, alarm));
    rig_end(&r);
}

static void others_have_answers_too(void **state)
{
    struct json *answer;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 1500);
    answer = ask(&r, "d.b"); /* watched by nothing but the silence of its device */
    assert_int_equal(json_size(json_get(answer, "watches")), 1);
    assert_string_equal(word(json_first(json_get(answer, "points")), "point"), "d.b");
    json_free(answer);
    answer = ask(&r, "d");
    assert_string_equal(word(json_first(json_get(answer, "watches")), "state"), "heard");
    assert_true(json_int(json_get(json_first(json_get(answer, "watches")), "due_ts"), 0) >
                json_int(json_get(answer, "now_ts"), 0));
    json_free(answer);
    assert_null(ask(&r, "nothing"));
    assert_null(ask(&r, ""));
    rig_end(&r);
}

/* ---- the memory ---- */

static void a_ring_keeps_the_last(void **state)
{
    struct evidence_sample out[EVIDENCE_SAMPLES];
    struct support_site s;
    struct evidence e;

    (void)state;
    support_site_build(&s, "device d\npoint a\npoint b\nrule r points=d.a above=blue:1\n");
    assert_int_equal(evidence_create(&e, &s.site), RG_OK);
    assert_int_equal(evidence_samples(&e, 0, out), 0);
    for (int64_t t = 1; t <= 20; t++) {
        struct sample samples[2] = {{.point = 0, .value = (double)t}, {.point = 1}};

        if (t == 20)
            samples[0].quality = QUALITY_SENSOR;
        evidence_frame(&e, &(struct frame){.at = {t, 100 + t}, .count = 2, .samples = samples});
    }
    assert_int_equal(evidence_samples(&e, 0, out), EVIDENCE_SAMPLES);
    for (size_t i = 0; i < EVIDENCE_SAMPLES; i++)
        assert_int_equal(out[i].wall_ms, 100 + 13 + (int64_t)i);
    assert_int_equal(out[EVIDENCE_SAMPLES - 1].quality, QUALITY_SENSOR);
    assert_int_equal(evidence_samples(&e, 1, out), 0); /* no alarm can come of it */
    evidence_destroy(&e);
    support_site_free(&s);
}

static void change(struct evidence *e, int number, enum alarm_event event, int64_t wall_ms)
{
    struct alarm alarm = {.rule = "r", .point = "d.a", .level = LEVEL_RED};

    (void)snprintf(alarm.id, sizeof alarm.id, "gw-%d", number);
    evidence_change(e, &(struct alarm_change){.event = event, .alarm = &alarm, .at = {wall_ms, wall_ms}});
}

static void the_oldest_causes_give_way(void **state)
{
    const uint32_t was[] = {0}, new_point[] = {SITE_NONE};
    struct sample sample = {.point = 0, .quality = QUALITY_GOOD, .value = 7};
    struct evidence_sample samples[EVIDENCE_SAMPLES];
    struct support_site s;
    struct evidence e, next;

    (void)state;
    support_site_build(&s, "device d\npoint a\nrule r points=d.a above=blue:1\n");
    assert_int_equal(evidence_create(&e, &s.site), RG_OK);
    for (int i = 0; i < EVIDENCE_CAUSES; i++)
        change(&e, i, ALARM_RAISE, 1000 + i);
    assert_non_null(evidence_cause(&e, "gw-0"));
    change(&e, 0, ALARM_ESCALATE, 9000); /* its own place, not another */
    assert_int_equal(evidence_cause(&e, "gw-0")->event, ALARM_ESCALATE);
    change(&e, 0, ALARM_ACK, 9001);
    assert_int_equal(evidence_cause(&e, "gw-0")->event, ALARM_ESCALATE);
    change(&e, 5000, ALARM_RAISE, 9100);
    assert_null(evidence_cause(&e, "gw-1"));
    assert_non_null(evidence_cause(&e, "gw-2"));
    assert_non_null(evidence_cause(&e, "gw-5000"));
    change(&e, 7, ALARM_CLEAR, 9200);
    assert_null(evidence_cause(&e, "gw-7"));
    change(&e, 6000, ALARM_CLEAR, 9200); /* nobody's: takes no place */
    change(&e, 6001, ALARM_RAISE, 9300); /* that of the one that cleared */
    assert_non_null(evidence_cause(&e, "gw-2"));
    assert_int_equal(evidence_create(&next, &s.site), RG_OK);
    evidence_frame(&e, &(struct frame){.at = {9400, 9400}, .heard = true, .count = 1, .samples = &sample});
    evidence_inherit(&next, &e, new_point);
    assert_int_equal(evidence_samples(&next, 0, samples), 0);
    evidence_inherit(&next, &e, was);
    assert_int_equal(evidence_samples(&next, 0, samples), 1);
    assert_true(samples[0].value == 7);
    evidence_destroy(&e);
    assert_non_null(evidence_cause(&next, "gw-6001"));
    assert_null(evidence_cause(&next, ""));
    evidence_destroy(&next);
    support_site_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_quiet_to_alarm),
        cmocka_unit_test(others_have_answers_too),
        cmocka_unit_test(a_ring_keeps_the_last),
        cmocka_unit_test(the_oldest_causes_give_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
