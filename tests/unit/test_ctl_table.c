/* LINK rg_ctl */
/* riskgatectl's tables and answers, as people see them. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/show.h"
#include "ctl/table.h"

/* What was written to a stream that is no terminal. */
struct out {
    FILE *to;
    char *text;
    size_t length;
};

static void out_begin(struct out *o)
{
    o->to = open_memstream(&o->text, &o->length);
    assert_non_null(o->to);
}

static void out_check(struct out *o, const char *expected)
{
    assert_int_equal(fclose(o->to), 0);
    assert_string_equal(o->text, expected);
    free(o->text);
}

static void columns_are_as_wide_as_their_widest(void **state)
{
    static const char *const titles[] = {"A", "LONG TITLE", "C"};
    struct table t;
    struct out o;

    (void)state;
    out_begin(&o);
    table_init(&t, 3, titles);
    table_row(&t, TABLE_RED); /* no colour on what is no terminal */
    table_cell(&t, "%s", "first");
    table_cell(&t, "%d", 7);
    table_cell(&t, "%s", "z");
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "%s", "x");
    table_print(&t, o.to);
    table_free(&t);
    out_check(&o, "A      LONG TITLE  C\n"
                  "first  7           z\n"
                  "x\n");
}

static void a_chinese_character_takes_two_cells(void **state)
{
    static const char *const titles[] = {"NAME", "N"};
    struct table t;
    struct out o;

    (void)state;
    out_begin(&o);
    table_init(&t, 2, titles);
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "%s", "抛光");
    table_cell(&t, "%d", 1);
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "%s", "abcdef");
    table_cell(&t, "%d", 2);
    table_print(&t, o.to);
    table_free(&t);
    out_check(&o, "NAME    N\n"
                  "抛光    1\n"
                  "abcdef  2\n");
}

/* A label comes from a file, a detail from the wire: neither may command the terminal. */
static void control_characters_are_shown_as_question_marks(void **state)
{
    static const char *const titles[] = {"T"};
    struct table t;
    struct out o;

    (void)state;
    out_begin(&o);
    table_init(&t, 1, titles);
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "%s", "a\033[2Jb\nc\rd\x7f\t");
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "%s",
               "\xc2\x9b"
               "31m \xc2\xb5m \xc2\x80");
    table_print(&t, o.to);
    table_free(&t);
    out_check(&o, "T\na?[2Jb?c?d??\n??31m \xc2\xb5m ??\n");
}

static void long_cells_are_cut_between_characters(void **state)
{
    static const char *const titles[] = {"T"};
    char text[1000] = "";
    struct table t;
    struct out o;

    (void)state;
    for (int i = 0; i < 200; i++)
        (void)strcat(text, "光"); /* three bytes each */
    out_begin(&o);
    table_init(&t, 1, titles);
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "%s", text);
    table_print(&t, o.to);
    table_free(&t);
    text[(TABLE_CELL - 1) / 3 * 3] = '\0';
    (void)memmove(text + 2, text, strlen(text) + 1);
    (void)memcpy(text, "T\n", 2);
    (void)strcat(text, "\n");
    out_check(&o, text);
}

static void a_remark_runs_over_the_columns_left_empty(void **state)
{
    static const char *const titles[] = {"A", "B", "C"};
    struct table t;
    struct out o;

    (void)state;
    out_begin(&o);
    table_init(&t, 3, titles);
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "1");
    table_cell(&t, "a long remark");
    table_row(&t, TABLE_PLAIN);
    table_cell(&t, "2");
    table_cell(&t, "b");
    table_cell(&t, "c");
    table_print(&t, o.to);
    table_free(&t);
    out_check(&o, "A  B  C\n1  a long remark\n2  b  c\n");
}

static void cells_beyond_the_columns_are_dropped(void **state)
{
    static const char *titles[TABLE_COLUMNS + 2];
    char expected[256] = "";
    struct table t;
    struct out o;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(titles); i++)
        titles[i] = "t";
    out_begin(&o);
    table_init(&t, RG_COUNT(titles), titles);
    table_row(&t, TABLE_PLAIN);
    for (int i = 0; i < TABLE_COLUMNS + 5; i++)
        table_cell(&t, "%d", i % 10);
    table_print(&t, o.to);
    table_free(&t);
    table_free(&t);
    for (int row = 0; row < 2; row++) {
        for (int i = 0; i < TABLE_COLUMNS; i++)
            (void)sprintf(expected + strlen(expected), "%s%c", i ? "  " : "", row ? '0' + i % 10 : 't');
        (void)strcat(expected, "\n");
    }
    out_check(&o, expected);
}

static void many_rows(void **state)
{
    static const char *const titles[] = {"N"};
    struct table t;
    struct out o;
    size_t lines = 0;

    (void)state;
    out_begin(&o);
    table_init(&t, 1, titles);
    for (int i = 0; i < 1000; i++) {
        table_row(&t, TABLE_PLAIN);
        table_cell(&t, "%d", i);
    }
    table_print(&t, o.to);
    table_free(&t);
    assert_int_equal(fclose(o.to), 0);
    for (const char *c = o.text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 1001);
    assert_non_null(strstr(o.text, "\n999\n"));
    free(o.text);
}

static void colours_of_levels(void **state)
{
    (void)state;
    assert_int_equal(table_level_colour("red"), TABLE_RED);
    assert_int_equal(table_level_colour("orange"), TABLE_ORANGE);
    assert_int_equal(table_level_colour("yellow"), TABLE_YELLOW);
    assert_int_equal(table_level_colour("blue"), TABLE_BLUE);
    assert_int_equal(table_level_colour("none"), TABLE_PLAIN);
    assert_int_equal(table_level_colour("?"), TABLE_PLAIN);
    assert_int_equal(table_level_colour(NULL), TABLE_PLAIN);
}

/* ---- answers ---- */

static void show(void (*with)(const struct json *, FILE *), const char *json_text, struct out *o)
{
    struct json *json = NULL;

    assert_int_equal(json_parse(json_text, strlen(json_text), 1 << 20, &json), RG_OK);
    out_begin(o);
    with(json, o->to);
    json_free(json);
}

static void alarms(void **state)
{
    struct out o;

    (void)state;
    show(show_alarms, "[]", &o);
    out_check(&o, "no active alarms\n");
    show(show_alarms,
         "[{\"alarm\":\"gw-1\",\"level\":\"red\",\"rule\":\"r\",\"point\":\"d.p\",\"area\":null,\"message\":"
         "\"浓度\","
         "\"raised_ts\":0,\"acked\":false}]",
         &o);
    out_check(&o, "ALARM  LEVEL  SINCE  AREA  POINT  RULE  ACKNOWLEDGED  REMARK  MESSAGE\n"
                  "gw-1   red    never  -     d.p    r     no                    浓度\n");
}

static void marks_of_alarms(void **state)
{
    struct out o;

    (void)state;
    show(show_alarms,
         "[{\"alarm\":\"gw-1\",\"first_out\":true,\"standing\":true,\"shelved\":false},"
         "{\"alarm\":\"gw-2\",\"suppressed\":true,\"shelved\":true,\"shelved_until_ts\":1763780000000}]",
         &o);
    assert_int_equal(fclose(o.to), 0);
    assert_non_null(strstr(o.text, "  first out, standing over 24 h "));
    assert_non_null(strstr(o.text, "  suppressed, shelved until 2025-11-22 02:53:20 "));
    free(o.text);
    show(show_shelved, "{\"alarm\":\"gw-1\",\"shelved_until_ts\":1763780000000}", &o);
    out_check(&o, "gw-1 shelved until 2025-11-22 02:53:20\n");
}

static void figures(void **state)
{
    struct out o;

    (void)state;
    show(show_figures, "{\"red\":1}", &o);
    out_check(&o, "");
    show(show_figures,
         "{\"since_ts\":1763780000000,\"raised\":12,\"per_10min\":3,\"peak_10min\":11,\"per_hour\":6,"
         "\"per_day\":12,\"flood\":false,\"floods\":0,\"chattering\":0,\"standing\":0}",
         &o);
    out_check(&o, "raised: 3 in the last 10 min (most 11), 6.0 an hour, 12.0 a day, 12 since 2025-11-22 "
                  "02:53:20\n");
    show(show_figures,
         "{\"since_ts\":0,\"raised\":12,\"flood\":true,\"flood_since_ts\":1763780000000,\"floods\":2,"
         "\"flood_share\":0.0125,\"chattering\":3,\"chattering_alarms\":[{\"rule\":\"r\",\"point\":\"d.p\","
         "\"raises\":9},{\"rule\":\"vote\",\"point\":null,\"raises\":3}],\"standing\":1,\"standing_alarms\":["
         "{\"alarm\":\"gw-7\",\"level\":\"blue\",\"rule\":\"r\",\"point\":\"d.q\",\"raised_ts\":"
         "1763780000000}]}",
         &o);
    out_check(&o, "raised: 0 in the last 10 min (most 0), 0.0 an hour, 0.0 a day, 12 since never\n"
                  "  ALARM FLOOD since 2025-11-22 02:53:20\n"
                  "  floods: 2, 1.25 % of the time\n"
                  "  chattering: r d.p, raised 9 times\n"
                  "  chattering: vote -, raised 3 times\n"
                  "  chattering: and 1 more\n"
                  "  standing over 24 h: r d.q, blue gw-7 since 2025-11-22 02:53:20\n");
}

static void points(void **state)
{
    struct out o;

    (void)state;
    show(
        show_points,
        "[{\"point\":\"d.p\",\"label\":null,\"value\":12.3,\"unit\":\"%LEL\",\"quality\":\"good\",\"ts\":"
        "null},"
        "{\"point\":\"d.m\",\"label\":null,\"value\":2,\"text\":\"预热\",\"unit\":null,\"quality\":\"good\","
        "\"ts\":null},"
        "{\"point\":\"d.q\",\"label\":\"x\",\"value\":null,\"unit\":null,\"quality\":\"stale\",\"ts\":null}]",
        &o);
    out_check(&o, "POINT  VALUE   UNIT  QUALITY  TIME   LABEL\n"
                  "d.p    12.3    %LEL  good     never  -\n"
                  "d.m    2 预热  -     good     never  -\n"
                  "d.q    -       -     stale    never  x\n");
}

static void risk(void **state)
{
    struct out o;

    (void)state;
    show(show_risk,
         "{\"level\":\"blue\",\"areas\":{\"plant\":{\"level\":\"blue\",\"alarms\":2,\"inherent\":\"orange\","
         "\"parent\":null}}}",
         &o);
    out_check(&o, "level blue\n\n"
                  "AREA   LEVEL  ALARMS  ASSESSED  PARENT  RESPONSIBLE  PHONE  MEASURE  LABEL\n"
                  "plant  blue   2       orange    -       -            -      -        -\n");
}

/* An older or newer daemon may leave out or add whatever it likes. */
static void answers_with_parts_missing(void **state)
{
    static const char *const answers[] = {
        "{}",
        "[]",
        "null",
        "7",
        "\"x\"",
        "[{}]",
        "[7]",
        "{\"areas\":[]}",
        "{\"buses\":[{}],\"devices\":[{}],\"uplinks\":[{\"pending\":7}],\"store\":[]}",
        ("{\"level\":7,\"alarms\":{\"red\":\"many\",\"raised\":\"x\",\"standing_alarms\":[7,{}],\"chattering_"
         "alarms\":{\"a\":{}},\"chattering\":-5},\"uptime_s\":-5,\"buses\":{\"a\":1}}")};
    static void (*const shows[])(const struct json *, FILE *) = {show_status, show_alarms, show_points,
                                                                 show_risk, show_shelved};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(answers); i++) {
        for (size_t k = 0; k < RG_COUNT(shows); k++) {
            struct out o;

            show(shows[k], answers[i], &o);
            assert_int_equal(fclose(o.to), 0);
            assert_true(o.length > 0);
            free(o.text);
        }
    }
}

static void status(void **state)
{
    struct out o;

    (void)state;
    show(show_status,
         "{\"version\":\"1\",\"gateway\":\"gw\",\"uptime_s\":93784,\"boot\":3,\"clock_synced\":false,"
         "\"level\":\"red\","
         "\"config\":{\"file\":\"f.yaml\"},\"alarms\":{\"red\":1,\"unacked\":1},"
         "\"store\":{\"ok\":false,\"size\":1048576,\"lost\":5},\"buses\":[],\"devices\":[],\"uplinks\":[]}",
         &o);
    assert_int_equal(fclose(o.to), 0);
    assert_non_null(
        strstr(o.text, "riskgated 1, gateway gw, up 1d 02h 03m, boot 3, clock NOT synchronised\n"));
    assert_non_null(strstr(
        o.text, "level red, alarms: red 1, orange 0, yellow 0, blue 0; not acknowledged 1, shelved 0\n"));
    assert_non_null(strstr(o.text, "store DOES NOT TAKE RECORDS, 1.0 MiB"));
    assert_non_null(strstr(o.text, "records lost 5\n"));
    free(o.text);
}

static int in_utc(void **state)
{
    (void)state;
    (void)unsetenv("COLUMNS");
    (void)unsetenv("CLICOLOR_FORCE");
    return setenv("TZ", "UTC", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest),
        cmocka_unit_test(a_chinese_character_takes_two_cells),
        cmocka_unit_test(control_characters_are_shown_as_question_marks),
        cmocka_unit_test(long_cells_are_cut_between_characters),
        cmocka_unit_test(a_remark_runs_over_the_columns_left_empty),
        cmocka_unit_test(cells_beyond_the_columns_are_dropped),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(colours_of_levels),
        cmocka_unit_test(alarms),
        cmocka_unit_test(marks_of_alarms),
        cmocka_unit_test(figures),
        cmocka_unit_test(points),
        cmocka_unit_test(risk),
        cmocka_unit_test(answers_with_parts_missing),
        cmocka_unit_test(status),
    };

    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 1;
    return cmocka_run_group_tests(tests, in_utc, NULL);
}
