/* LINK rg_uplink rg_test_support rg_base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "support_site.h"
#include "uplink/about.h"
#include "uplink/payload.h"

static const struct payload_head telemetry = {.ent = "91350100M000100Y43",
                                              .gw = "gw-01",
                                              .stream = STREAM_TELEMETRY,
                                              .prev = 100,
                                              .first = 101,
                                              .last = 102};

/* The bytes of contract §3. */
static void a_message_is_a_header_and_records_in_a_row(void **state)
{
    static const char records[] =
        "{\"seq\":101,\"ts\":1763780000123,\"device\":\"gas-1\",\"values\":{\"lel\":12.3,\"temp\":31.5},"
        "\"bad\":{\"co\":\"sensor\"}},"
        "{\"seq\":102,\"ts\":1763780000130,\"device\":\"gas-2\",\"values\":{\"lel\":0.4}}";
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    assert_int_equal(payload_stored(&w, &telemetry, records, sizeof(records) - 1), RG_OK);
    assert_string_equal(
        w.text,
        "{\"v\":1,\"ent\":\"91350100M000100Y43\",\"gw\":\"gw-01\",\"stream\":\"telemetry\",\"backfill\":"
        "false,"
        "\"prev\":100,\"first\":101,\"last\":102,\"records\":["
        "{\"seq\":101,\"ts\":1763780000123,\"device\":\"gas-1\",\"values\":{\"lel\":12.3,\"temp\":31.5},"
        "\"bad\":{\"co\":\"sensor\"}},"
        "{\"seq\":102,\"ts\":1763780000130,\"device\":\"gas-2\",\"values\":{\"lel\":0.4}}]}");
    jsonw_free(&w);
}

static void records_go_byte_for_byte(void **state)
{
    /* Odd spacing, a number that a rewriter would change, bytes above ASCII; and no NUL behind them. */
    static const char records[] = {'{', ' ', '"', 'x', '"', ':', '1', '.', '0', '0', '}', '!'};
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    assert_int_equal(payload_stored(&w, &telemetry, records, 11), RG_OK);
    assert_non_null(strstr(w.text, "\"records\":[{ \"x\":1.00}]}"));
    jsonw_free(&w);
}

static void first_of_all_has_no_prev_and_marks_are_set(void **state)
{
    struct payload_head head = telemetry;
    struct jsonw w;

    (void)state;
    head.stream = STREAM_ALARM;
    head.backfill = true;
    head.unsynced = true;
    head.prev = 0;
    head.first = head.last = 1;
    jsonw_init(&w, 0);
    assert_int_equal(payload_stored(&w, &head, "{\"seq\":1}", 9), RG_OK);
    assert_string_equal(w.text,
                        "{\"v\":1,\"ent\":\"91350100M000100Y43\",\"gw\":\"gw-01\",\"stream\":\"alarm\","
                        "\"backfill\":true,\"prev\":null,\"first\":1,\"last\":1,\"clock\":\"unsynced\","
                        "\"records\":[{\"seq\":1}]}");
    jsonw_free(&w);
}

static void an_unstored_alarm_has_no_numbers(void **state)
{
    struct payload_head head = telemetry;
    struct jsonw w;

    (void)state;
    head.stream = STREAM_ALARM;
    jsonw_init(&w, 0);
    assert_int_equal(payload_stored(&w, &telemetry, "{}", 2), RG_OK); /* written over */
    assert_int_equal(payload_unstored(&w, &head, "{\"ts\":5}", 8), RG_OK);
    assert_string_equal(w.text,
                        "{\"v\":1,\"ent\":\"91350100M000100Y43\",\"gw\":\"gw-01\",\"stream\":\"alarm\","
                        "\"backfill\":false,\"prev\":null,\"first\":null,\"last\":null,\"stored\":false,"
                        "\"records\":[{\"ts\":5}]}");
    jsonw_free(&w);
}

static void a_full_buffer_is_an_error(void **state)
{
    char memory[64];
    struct jsonw w;

    (void)state;
    jsonw_init_fixed(&w, memory, sizeof(memory));
    assert_int_equal(payload_stored(&w, &telemetry, "{}", 2), RG_EFULL);
}

/* ---- about ---- */

static struct json *about_of(const struct site *site)
{
    struct json *json = NULL;
    struct jsonw w;

    jsonw_init(&w, 0);
    about_write(site, &w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_int_equal(json_parse(w.text, w.length, 1 << 20, &json), RG_OK);
    jsonw_free(&w);
    return json;
}

static void about_says_what_a_platform_shows(void **state)
{
    static const struct point_word words[] = {{0, "stopped"}, {1, "运行"}};
    struct support_site s;
    struct json *root = NULL;
    const struct json *it = NULL;

    (void)state;
    support_site_build(
        &s, "area plant label=Plant\n"
            "area shop parent=plant inherent=orange label=Shop aggregate=gb39496\n"
            "device gas-1 unit=1 poll=1s area=shop offline=10s:yellow label=Probe\n"
            "point lel type=f32 unit=%LEL holding=0\n"
            "point fan type=bool holding=4\n"
            "rule high points=gas-1.lel above=blue:10,red:50.5 deadband=1 on=3s off=10s message=high\n"
            "rule fan-off points=gas-1.fan is=0:red\n");
    s.site.points[0].has_range = true;
    s.site.points[0].range_max = 100;
    s.site.points[0].doubt = &(const struct site_doubt){.level = LEVEL_YELLOW,
                                                        .after_ms = 10000,
                                                        .flat_ms = 60000,
                                                        .has_rate = true,
                                                        .rate_per_s = 2.5,
                                                        .has_twin = true,
                                                        .twin = 1,
                                                        .twin_within = 4};
    s.site.areas[1].tier = TIER_WORKSHOP;
    s.site.areas[1].grid = "grid 7";
    s.site.areas[1].resp_person = "张三";
    s.site.areas[1].measure = "停机撤人";
    s.site.points[1].words = words;
    s.site.points[1].word_count = RG_COUNT(words);
    root = about_of(&s.site);
    assert_int_equal(json_int(json_get(root, "v"), 0), 1);
    assert_string_equal(json_string(json_get(root, "ent")), s.site.gateway.ent_code);
    assert_string_equal(json_string(json_get(root, "gw")), s.site.gateway.id);
    assert_string_equal(json_string(json_get(json_get(root, "enterprise"), "code")), s.site.gateway.ent_code);

    it = json_next(json_first(json_get(root, "areas")));
    assert_string_equal(json_string(json_get(it, "name")), "shop");
    assert_string_equal(json_string(json_get(it, "parent")), "plant");
    assert_string_equal(json_string(json_get(it, "inherent")), "orange");
    assert_string_equal(json_string(json_get(it, "aggregate")), "gb39496");
    assert_string_equal(json_string(json_get(it, "tier")), "workshop");
    assert_string_equal(json_string(json_get(it, "grid")), "grid 7");
    assert_string_equal(json_string(json_get(it, "measure")), "停机撤人");
    assert_string_equal(json_string(json_get(json_get(it, "responsible"), "person")), "张三");
    assert_null(json_get(json_first(json_get(root, "areas")), "aggregate"));

    it = json_first(json_get(root, "devices"));
    assert_string_equal(json_string(json_get(it, "area")), "shop");
    assert_int_equal(json_int(json_get(json_get(it, "offline"), "after_ms"), 0), 10000);
    assert_int_equal(json_size(json_get(it, "points")), 2);
    it = json_first(json_get(it, "points"));
    assert_string_equal(json_string(json_get(it, "unit")), "%LEL");
    assert_true(json_double(json_next(json_first(json_get(it, "range"))), 0) == 100);
    assert_string_equal(json_string(json_get(json_get(it, "doubt"), "level")), "yellow");
    assert_int_equal(json_int(json_get(json_get(it, "doubt"), "after_ms"), 0), 10000);
    assert_int_equal(json_int(json_get(json_get(it, "doubt"), "flat_ms"), 0), 60000);
    assert_true(json_double(json_get(json_get(it, "doubt"), "flat_band"), -1) == 0);
    assert_true(json_double(json_get(json_get(it, "doubt"), "rate_per_s"), 0) == 2.5);
    assert_string_equal(json_string(json_get(json_get(it, "doubt"), "twin")), "gas-1.fan");
    assert_true(json_double(json_get(json_get(it, "doubt"), "twin_within"), 0) == 4);
    it = json_next(it);
    assert_null(json_get(it, "doubt"));
    assert_string_equal(json_string(json_get(it, "type")), "bool");
    assert_null(json_get(it, "range"));
    assert_null(json_get(json_first(json_get(json_first(json_get(root, "devices")), "points")), "values"));
    assert_int_equal(json_size(json_get(it, "values")), 2);
    it = json_next(json_first(json_get(it, "values")));
    assert_int_equal(json_int(json_get(it, "value"), 0), 1);
    assert_string_equal(json_string(json_get(it, "text")), "运行");

    it = json_first(json_get(root, "rules"));
    assert_string_equal(json_string(json_first(json_get(it, "points"))), "gas-1.lel");
    assert_true(json_double(json_get(json_get(it, "above"), "red"), 0) == 50.5);
    assert_int_equal(json_size(json_get(it, "above")), 2);
    assert_null(json_get(it, "below"));
    assert_int_equal(json_int(json_get(it, "on_delay_ms"), 0), 3000);
    it = json_first(json_get(json_next(it), "is"));
    assert_int_equal(json_int(json_get(it, "value"), -1), 0);
    assert_string_equal(json_string(json_get(it, "level")), "red");
    json_free(root);
    support_site_free(&s);
}

/* Signals, references, votes, guards, permits, latches and bases: each where it applies, and nothing where not. */
static void about_says_all_of_a_rule(void **state)
{
    static const uint32_t bases[] = {1, 3}, fans[] = {4, 4};
    static const double is[] = {1, 2};
    static const struct site_reference each = {bases, 1.2, -3}, one = {fans, 1, 0};
    struct site_permit permit = {.name = "tank", .label = "罐", .max_ms = 3600000};
    struct support_site s;
    struct site_rule *r;
    struct json *root = NULL;
    const struct json *it = NULL;

    (void)state;
    support_site_build(
        &s, "device g1\npoint co\npoint base\ndevice g2\npoint co\npoint base\ndevice f\npoint fan\n"
            "rule r points=*.co above=blue:1,yellow:10,red:50\nrule plain points=g1.co above=red:5\n");
    s.site.permits = &permit;
    s.site.permit_count = 1;
    r = &s.site.rules[0];
    r->signal =
        (struct site_signal){.kind = SIGNAL_DELTA, .window_ms = 900000, .coverage = 0.9, .wrap = 65536};
    r->above_of[LEVEL_YELLOW] = &one;
    r->above_of[LEVEL_RED] = &each;
    r->latch_from = LEVEL_YELLOW;
    r->vote_need = 2;
    r->vote_bad = VOTE_BAD_HOLDS;
    r->guard = (struct site_guard){.points = fans, .is = is, .is_count = 2, .has_below = true, .below = 7};
    r->has_permit = true;
    r->basis[LEVEL_RED] = "GB/T 1";
    s.site.rules[1].basis[LEVEL_NONE] = "PROPOSAL";
    root = about_of(&s.site);
    it = json_first(json_get(root, "permits"));
    assert_string_equal(json_string(json_get(it, "name")), "tank");
    assert_string_equal(json_string(json_get(it, "label")), "罐");
    assert_int_equal(json_int(json_get(it, "max_ms"), 0), 3600000);

    it = json_get(json_first(json_get(root, "rules")), "signal");
    assert_string_equal(json_string(json_get(it, "kind")), "delta");
    assert_int_equal(json_int(json_get(it, "window_ms"), 0), 900000);
    assert_true(json_double(json_get(it, "coverage"), 0) == 90);
    assert_true(json_double(json_get(it, "wrap"), 0) == 65536);
    assert_null(json_get(it, "band"));
    it = json_get(json_first(json_get(root, "rules")), "above");
    assert_true(json_double(json_get(it, "blue"), 0) == 1);
    assert_string_equal(json_string(json_get(json_get(it, "yellow"), "of")), "f.fan");
    assert_int_equal(json_size(json_get(json_get(it, "red"), "of")), 2);
    assert_string_equal(json_string(json_next(json_first(json_get(json_get(it, "red"), "of")))), "g2.base");
    assert_true(json_double(json_get(json_get(it, "red"), "times"), 0) == 1.2);
    assert_true(json_double(json_get(json_get(it, "red"), "plus"), 0) == -3);
    it = json_first(json_get(root, "rules"));
    assert_string_equal(json_string(json_get(it, "latch")), "yellow");
    assert_int_equal(json_int(json_get(json_get(it, "vote"), "need"), 0), 2);
    assert_string_equal(json_string(json_get(json_get(it, "vote"), "bad")), "holds");
    assert_string_equal(json_string(json_get(json_get(it, "when"), "point")), "f.fan");
    assert_int_equal(json_size(json_get(json_get(it, "when"), "is")), 2);
    assert_true(json_double(json_get(json_get(it, "when"), "below"), 0) == 7);
    assert_null(json_get(json_get(it, "when"), "above"));
    assert_string_equal(json_string(json_get(it, "permit")), "tank");
    assert_string_equal(json_string(json_get(json_get(it, "basis"), "red")), "GB/T 1");
    it = json_next(it);
    assert_string_equal(json_string(json_get(it, "basis")), "PROPOSAL");
    assert_true(json_double(json_get(json_get(it, "above"), "red"), 0) == 5);
    for (size_t i = 0; i < 5; i++) {
        static const char *const keys[] = {"signal", "latch", "vote", "when", "permit"};

        assert_null(json_get(it, keys[i]));
    }
    json_free(root);
    support_site_free(&s);
}

/* A group of derived points stands among the devices, without what only a device has. */
static void about_lists_derived_points(void **state)
{
    struct support_site s;
    struct json *root = NULL;
    const struct json *it = NULL;

    (void)state;
    support_site_build(&s, "area shop\ndevice gas-1 area=shop\npoint lel\n"
                           "device sums area=shop label=Sums\npoint total unit=m\n");
    s.site.devices[1].derived = true;
    s.site.devices[1].bus = SITE_NONE;
    root = about_of(&s.site);
    it = json_first(json_get(root, "devices"));
    assert_null(json_get(it, "derived"));
    assert_int_equal(json_int(json_get(it, "poll_ms"), 0), 1000);
    it = json_next(it);
    assert_true(json_bool(json_get(it, "derived"), false));
    assert_string_equal(json_string(json_get(it, "name")), "sums");
    assert_string_equal(json_string(json_get(it, "label")), "Sums");
    assert_string_equal(json_string(json_get(it, "area")), "shop");
    assert_null(json_get(it, "poll_ms"));
    assert_null(json_get(it, "offline"));
    assert_string_equal(json_string(json_get(json_first(json_get(it, "points")), "unit")), "m");
    json_free(root);
    support_site_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_a_header_and_records_in_a_row),
        cmocka_unit_test(records_go_byte_for_byte),
        cmocka_unit_test(first_of_all_has_no_prev_and_marks_are_set),
        cmocka_unit_test(an_unstored_alarm_has_no_numbers),
        cmocka_unit_test(a_full_buffer_is_an_error),
        cmocka_unit_test(about_says_what_a_platform_shows),
        cmocka_unit_test(about_says_all_of_a_rule),
        cmocka_unit_test(about_lists_derived_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
