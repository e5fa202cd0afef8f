/* LINK rg_ctl rg_test_past */
/* A changed limit, on a past that can be worked out by hand: the report as JSON, and as people see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "ctl/report.h"
#include "ctl/show_backtest.h"
#include "past.h"
#include "support_site.h"

#define WALL INT64_C(1763780000000)

/* Every minute a value. Old: yellow from 20, red from 50; new: yellow from 15, red from 30; none has a dead-band. */
static const double values[] = {5, 16, 17, 5, 25, 26, 5, 35, 36, 37, 5, 55, 56, 5, 5};

static const char old_rules[] = "device d poll=1m\npoint a\npoint b\n"
                                "rule high points=d.a above=yellow:20,red:50\n"
                                "rule gone points=d.b is=1:blue\n";
static const char new_rules[] = "device d poll=1m\npoint a\npoint c\n"
                                "rule high points=d.a above=yellow:15,red:30\n"
                                "rule fresh points=d.a above=blue:100\n";

static void make_past(struct past *p)
{
    struct support_site s;

    support_site_build(&s, old_rules);
    past_init(p);
    past_event(p, "start", ",\"clean\":true", (struct moment){1000, WALL}, 0);
    for (size_t i = 0; i < RG_COUNT(values); i++) {
        int64_t ms = (int64_t)i * 60000;
        const struct sample samples[] = {{0, QUALITY_GOOD, values[i]}, {1, QUALITY_GOOD, i == 2 ? 1 : 0}};
        const struct frame frame = {
            .at = {1000 + ms, WALL + ms}, .heard = true, .count = 2, .samples = samples};

        past_frame(p, &s.site, &frame);
    }
    support_site_free(&s);
}

struct pair {
    struct support_site sites[2];
    struct report reports[2];
    struct replay_part parts[2];
    struct past past;
};

static void play(struct pair *x, size_t count)
{
    struct replay_past past;
    const struct replay_wish wish = {0};
    char why[REPLAY_WHY];

    make_past(&x->past);
    past = past_open(&x->past);
    support_site_build(&x->sites[0], old_rules);
    support_site_build(&x->sites[1], new_rules);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(report_create(&x->reports[i], &x->sites[i].site, 0, 0), RG_OK);
        x->parts[i] =
            (struct replay_part){.site = &x->sites[i].site, .cbs = report_cbs, .arg = &x->reports[i]};
    }
    assert_int_equal(replay_run(&past, &wish, x->parts, count, why), RG_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(report_end(&x->reports[i], replay_player_figures(x->parts[i].player)), RG_OK);
}

static void pair_free(struct pair *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        replay_player_destroy(x->parts[i].player);
        report_free(&x->reports[i]);
    }
    support_site_free(&x->sites[0]);
    support_site_free(&x->sites[1]);
    past_free(&x->past);
}

static struct json *parsed(const struct jsonw *w)
{
    struct json *json = NULL;

    assert_int_equal(jsonw_error(w), RG_OK);
    assert_int_equal(json_parse(w->text, w->length, w->length, &json), RG_OK);
    return json;
}

static void assert_part(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text);
}

/* As people see it. */
static char *shown(const struct jsonw *w, void (*show)(const struct json *json, FILE *to))
{
    struct json *json = parsed(w);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    show(json, to);
    (void)fclose(to);
    json_free(json);
    return text;
}

static void two_configurations(void **state)
{
    struct pair x = {0};
    struct jsonw w;
    char *text;

    (void)state;
    play(&x, 2);
    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    report_write_comparison(&x.reports[0], x.parts[0].player, &x.reports[1], x.parts[1].player, &w);
    jsonw_object_end(&w);
    /* old: yellow in minutes 4, 5 and 7, 8, 9; red in 11, 12. new: yellow in 1, 2 and 4, 5; red in 7, 8, 9 and 11, 12. */
    assert_part(w.text, "{\"rule\":\"high\","
                        "\"old\":{\"alarms\":3,\"raised\":3,\"red\":1,\"orange\":0,\"yellow\":2,\"blue\":0,"
                        "\"minutes\":{\"red\":2,\"orange\":0,\"yellow\":5,\"blue\":0},\"chatter\":0},"
                        "\"new\":{\"alarms\":4,\"raised\":4,\"red\":2,\"orange\":0,\"yellow\":2,\"blue\":0,"
                        "\"minutes\":{\"red\":5,\"orange\":0,\"yellow\":4,\"blue\":0},\"chatter\":0},"
                        "\"appears\":1,\"disappears\":0,\"higher\":1,\"lower\":0}");
    assert_part(w.text, "{\"rule\":\"gone\",\"old\":{\"alarms\":1,\"raised\":1,\"red\":0,\"orange\":0,"
                        "\"yellow\":0,\"blue\":1,"
                        "\"minutes\":{\"red\":0,\"orange\":0,\"yellow\":0,\"blue\":1},\"chatter\":0},"
                        "\"new\":null,\"appears\":0,\"disappears\":1,\"higher\":0,\"lower\":0}");
    assert_part(w.text, "{\"rule\":\"fresh\",\"old\":null,\"new\":{\"alarms\":0,");
    assert_part(
        w.text,
        "\"appears\":[{\"rule\":\"high\",\"point\":\"d.a\",\"level\":\"yellow\",\"from\":1763780060000,"
        "\"to\":1763780180000,\"ended\":true}]");
    assert_part(
        w.text,
        "\"disappears\":[{\"rule\":\"gone\",\"point\":\"d.b\",\"level\":\"blue\",\"from\":1763780120000,"
        "\"to\":1763780180000,\"ended\":true}]");
    assert_part(w.text,
                "\"other_level\":[{\"rule\":\"high\",\"point\":\"d.a\",\"level\":\"red\",\"was\":\"yellow\","
                "\"from\":1763780420000,");
    assert_part(w.text, "\"new\":{\"unknown\":[\"d.b\"],\"never_recorded\":[\"d.c\"],");

    text = shown(&w, show_comparison);
    assert_part(text, "2025-11-22 02:53:20.000 to 2025-11-22 03:07:20.000 (14m 0s): 15 frames, 15 readings\n"
                      "\n"
                      "rule        alarms  red      orange  yellow   blue     chatter  appears  "
                      "disappears  higher  lower\n"
                      "high   old  3       1 / 2.0  -       2 / 5.0  -        0\n"
                      "       new  4       2 / 5.0  -       2 / 4.0  -        0        1        0  "
                      "         1       0\n"
                      "gone   old  1       -        -       -        1 / 1.0  0\n"
                      "       new  has no such rule\n"
                      "fresh  old  has no such rule\n"
                      "       new  0       -        -       -        -        0        0        0  "
                      "         0       0\n");
    assert_part(text, "Only with the new configuration:\n"
                      "from                     for    level   rule  point\n"
                      "2025-11-22 02:54:20.000  2m 0s  yellow  high  d.a\n");
    assert_part(text, "Only with the old one:\n"
                      "from                     for    level  rule  point\n"
                      "2025-11-22 02:55:20.000  1m 0s  blue   gone  d.b\n");
    assert_part(text, "With both, at another level:\n"
                      "from                     for    level          rule  point\n"
                      "2025-11-22 03:00:20.000  3m 0s  yellow -> red  high  d.a\n");
    assert_part(text, "Recorded, but not in the new configuration: d.b\n");
    assert_part(text, "In the new configuration, but never recorded: d.c\n");
    free(text);
    jsonw_free(&w);
    pair_free(&x, 2);
}

static void one_configuration(void **state)
{
    struct pair x = {0};
    struct jsonw w;
    char *text;

    (void)state;
    play(&x, 1);
    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    report_write(&x.reports[0], x.parts[0].player, &w);
    jsonw_object_end(&w);
    assert_part(w.text, "{\"from\":1763780000000,\"to\":1763780840000,\"frames\":15,\"readings\":30,"
                        "\"recorded\":0,\"events\":8,");
    assert_part(w.text, "\"history\":{\"first\":1763780000000,\"last\":1763780840000,\"midway\":false,"
                        "\"runs\":[{\"from\":1763780000000,\"to\":1763780840000,\"stopped\":false}],\"thin\":"
                        "[],\"lost\":[],");
    text = shown(&w, show_backtest);
    assert_part(text, "8 transitions; 0 were recorded\n\n"
                      "rule  alarms  raised  red      orange  yellow   blue     chatter\n"
                      "high  3       3       1 / 2.0  -       2 / 5.0  -        0\n"
                      "gone  1       1       -        -       -        1 / 1.0  0\n");
    free(text);
    jsonw_free(&w);
    pair_free(&x, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_configurations),
        cmocka_unit_test(one_configuration),
    };

    (void)setenv("TZ", "UTC0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
