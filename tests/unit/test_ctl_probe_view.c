/* LINK rg_ctl */
/* What registers may mean: orders, marks, tables. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/parse.h"
#include "ctl/probe_print.h"
#include "ctl/probe_view.h"

static const enum word_order orders[] = {ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA};

static void the_four_orders(void **state)
{
    /* 0x11223344 as it lies on the wire in each order (codec.h). */
    static const uint16_t words[][2] = {
        {0x1122, 0x3344}, {0x3344, 0x1122}, {0x2211, 0x4433}, {0x4433, 0x2211}};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(orders); i++)
        assert_int_equal(view_u32(words[i][0], words[i][1], orders[i]), 0x11223344);
    /* 20.9 is 0x41a73333 (IEEE 754). */
    assert_true(view_f32(0x41a7, 0x3333, ORDER_ABCD) == 20.9f);
    assert_true(view_f32(0x3333, 0x41a7, ORDER_CDAB) == 20.9f);
    assert_true(view_f32(0xa741, 0x3333, ORDER_BADC) == 20.9f);
    assert_true(view_f32(0x3333, 0xa741, ORDER_DCBA) == 20.9f);
}

static void shortest_decimals(void **state)
{
    static const struct {
        float value;
        const char *text;
        unsigned digits;
    } cases[] = {
        {0, "0", 1},
        {20.9f, "20.9", 3},
        {230.4f, "230.4", 4},
        {-1.5f, "-1.5", 2},
        {1013.25f, "1013.25", 6},
        {100, "100", 1},
        {5000000, "5000000", 1},
        {-120.0f, "-120", 2},
        {9999999, "9999999", 7},
        {1e7f, "1e+07", 1},
        {0.001f, "0.001", 1},
        {1e-5f, "1e-05", 1},
        {1.0f / 3, "0.33333334", 8},
        {16777215, "16777215", 8},
        {FLT_MAX, "3.4028235e+38", 8},
        {-INFINITY, "-inf", 9},
        {NAN, "nan", 9},
    };
    char text[VIEW_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        assert_string_equal(view_f32_text(cases[i].value, text), cases[i].text);
        assert_int_equal(view_f32_digits(cases[i].value), cases[i].digits);
    }
}

static void which_floats_are_plausible(void **state)
{
    static const struct {
        float value;
        enum plausible expected;
    } cases[] = {
        {0, PLAUSIBLE_MAYBE},         {-0.0f, PLAUSIBLE_MAYBE},     {20.9f, PLAUSIBLE_LIKELY},
        {-20.9f, PLAUSIBLE_LIKELY},   {1e-4f, PLAUSIBLE_NO}, /* the nearest float lies below */
        {1.1e-4f, PLAUSIBLE_LIKELY},  {9.9e-5f, PLAUSIBLE_NO},      {1e7f, PLAUSIBLE_LIKELY},
        {10000001.0f, PLAUSIBLE_NO},  {-1.1e7f, PLAUSIBLE_NO},      {230.25645f, PLAUSIBLE_MAYBE},
        {123.456f, PLAUSIBLE_LIKELY}, {123.4567f, PLAUSIBLE_MAYBE}, {FLT_MIN / 2, PLAUSIBLE_NO},
        {INFINITY, PLAUSIBLE_NO},     {NAN, PLAUSIBLE_NO},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        if (plausible_f32(cases[i].value) != cases[i].expected)
            fail_msg("%.9g", (double)cases[i].value);
    }
}

static void which_integers_are_plausible(void **state)
{
    static const struct {
        int32_t value;
        enum plausible expected;
    } cases[] = {
        {0, PLAUSIBLE_NO},          {65535, PLAUSIBLE_NO},     {65536, PLAUSIBLE_MAYBE},
        {9999999, PLAUSIBLE_MAYBE}, {10000000, PLAUSIBLE_NO},  {-1, PLAUSIBLE_NO},
        {-32768, PLAUSIBLE_NO},     {-32769, PLAUSIBLE_MAYBE}, {INT32_MIN, PLAUSIBLE_NO},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++)
        assert_int_equal(plausible_i32(cases[i].value), cases[i].expected);
}

/* influxdata/telegraf#8151: two voltages in CDAB, read one register too early in another order, look like voltages. */
static void halves_of_two_values(void **state)
{
    static const uint16_t registers[] = {0x6666, 0x4366, 0x41a7, 0x3333}; /* 230.4 in CDAB, 20.9 in ABCD */

    (void)state;
    assert_int_equal(plausible_f32(view_f32(registers[0], registers[1], ORDER_CDAB)), PLAUSIBLE_LIKELY);
    assert_int_equal(plausible_f32(view_f32(registers[2], registers[3], ORDER_ABCD)), PLAUSIBLE_LIKELY);
    /* One register on: near both, and wrong. */
    assert_true(fabsf(view_f32(registers[1], registers[2], ORDER_ABCD) - 230) < 1);
    assert_true(fabsf(view_f32(registers[1], registers[2], ORDER_CDAB) - 20.9f) < 0.1f);
    assert_int_equal(plausible_f32(view_f32(registers[1], registers[2], ORDER_ABCD)), PLAUSIBLE_MAYBE);
    assert_int_equal(plausible_f32(view_f32(registers[1], registers[2], ORDER_CDAB)), PLAUSIBLE_MAYBE);
    /* A mark is a hint: the halves of 230.4 and 229.8 make 230.8. */
    assert_true(view_f32(0x4366, 0xcccd, ORDER_ABCD) == 230.8f);
}

static void parts_of_a_register(void **state)
{
    char text[VIEW_TEXT_MAX];

    (void)state;
    assert_string_equal(view_bits(0x8001, text), "1000000000000001");
    assert_string_equal(view_bits(0x012c, text), "0000000100101100");
    assert_string_equal(view_ascii(0x4142, text), "AB");
    assert_string_equal(view_ascii(0x1b7f, text), "..");
    assert_string_equal(view_ascii(0x20ff, text), " .");
    assert_string_equal(view_register(SPACE_HOLDING, 0, text), "40001");
    assert_string_equal(view_register(SPACE_HOLDING, 9998, text), "49999");
    assert_string_equal(view_register(SPACE_HOLDING, 9999, text), "410000");
    assert_string_equal(view_register(SPACE_INPUT, 65535, text), "365536");
    assert_string_equal(view_register(SPACE_COIL, 3, text), "00004");
    assert_string_equal(view_register(SPACE_DISCRETE, 0, text), "10001");
}

/* The manuals' notation as it is shown is the one that is taken. */
static void registers_there_and_back(void **state)
{
    static const enum point_space spaces[] = {SPACE_COIL, SPACE_DISCRETE, SPACE_INPUT, SPACE_HOLDING};

    (void)state;
    for (size_t s = 0; s < RG_COUNT(spaces); s++) {
        for (unsigned address = 0; address <= 65535; address += address == 65528 ? 7 : 13) {
            struct probe_range range;
            char text[VIEW_TEXT_MAX];

            assert_true(parse_register_range(view_register(spaces[s], (uint16_t)address, text), &range));
            assert_int_equal(range.space, spaces[s]);
            assert_int_equal(range.first, address);
            assert_int_equal(range.count, 1);
        }
    }
}

/* ---- shown ---- */

static char *printed(const struct probe_reading *r)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);

    assert_non_null(to);
    probe_print(r, to);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void a_table_of_registers(void **state)
{
    struct probe_cell cells[] = {{CELL_READ, 0, 0x41a7}, {CELL_READ, 0, 0x3333}, {CELL_REFUSED, 2, 0},
                                 {CELL_REFUSED, 2, 0},   {CELL_REFUSED, 4, 0},   {CELL_READ, 0, 0xffff},
                                 {CELL_READ, 0, 0xfffe}, {CELL_UNREAD, 0, 0}};
    const struct probe_reading r = {
        .range = {SPACE_HOLDING, 100, RG_COUNT(cells)}, .cells = cells, .read = 4};
    char *text = printed(&r);

    (void)state;
    assert_string_equal(
        text, "ADDRESS  REGISTER     HEX     U16    I16    TEXT  BITS              F32 ABCD  F32 CDAB       "
              "F32 BADC        F32 DCBA        32 ABCD        32 CDAB\n"
              "100      40101        0x41a7  16807  16807  A.    0100000110100111  20.9*     4.1736396e-08  "
              "-2.6811886e-15  4.18288e-08     1101476659     858997159\n"
              "101      40102        0x3333  13107  13107  33    0011001100110011\n"
              "102-103  40103-40104  refused: illegal data address (exception 2)\n"
              "104      40105        refused: server device failure (exception 4)\n"
              "105      40106        0xffff  65535  -1     ..    1111111111111111  nan       nan            "
              "nan             -1.7014117e+38  4294967294/-2  4294901759/-65537?\n"
              "106      40107        0xfffe  65534  -2     ..    1111111111111110\n"
              "107      40108        not read\n");
    free(text);
}

static void a_table_of_bits(void **state)
{
    struct probe_cell cells[12];
    const struct probe_reading r = {.range = {SPACE_COIL, 0, RG_COUNT(cells)}, .cells = cells, .read = 11};
    char *text;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cells); i++)
        cells[i] = (struct probe_cell){CELL_READ, 0, i % 3 == 0};
    cells[11] = (struct probe_cell){CELL_REFUSED, 2, 0};
    text = printed(&r);
    assert_string_equal(text, "ADDRESS  REGISTER  +0  +1  +2  +3  +4  +5  +6  +7\n"
                              "0        00001     1   0   0   1   0   0   1   0\n"
                              "8        00009     0   1   0\n"
                              "11       00012     refused: illegal data address (exception 2)\n");
    free(text);
}

static void the_same_for_tools(void **state)
{
    struct probe_cell cells[] = {
        {CELL_READ, 0, 0x41a7}, {CELL_READ, 0, 0x3333}, {CELL_REFUSED, 2, 0}, {CELL_UNREAD, 0, 0}};
    const struct probe_reading r = {.range = {SPACE_INPUT, 0, RG_COUNT(cells)},
                                    .cells = cells,
                                    .read = 2,
                                    .requests = 3,
                                    .result = DRIVER_SILENT,
                                    .detail = "no answer"};
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    probe_write_json(&r, &w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_string_equal(
        w.text,
        "{\"space\":\"input\",\"first\":0,\"count\":4,\"requests\":3,\"result\":\"silent\",\"detail\":\"no "
        "answer\",\"registers\":[{\"address\":0,\"register\":\"30001\",\"u16\":16807,\"i16\":16807,\"text\":"
        "\"A.\",\"bits\":\"0100000110100111\",\"f32\":{\"ABCD\":{\"value\":20.9,\"plausible\":\"likely\"},"
        "\"CDAB\":{\"value\":4.1736396e-8,\"plausible\":\"no\"},\"BADC\":{\"value\":-2.6811886e-15,"
        "\"plausible\":\"no\"},\"DCBA\":{\"value\":4.18288e-8,\"plausible\":\"no\"}},\"int32\":{\"ABCD\":{"
        "\"u32\":1101476659,\"i32\":1101476659,\"plausible\":\"no\"},\"CDAB\":{\"u32\":858997159,\"i32\":"
        "858997159,\"plausible\":\"no\"}}},{\"address\":1,\"register\":\"30002\",\"u16\":13107,\"i16\":13107,"
        "\"text\":\"33\",\"bits\":\"0011001100110011\"}],\"refused\":[{\"address\":2,\"count\":1,"
        "\"exception\":2,\"detail\":\"illegal data address\"}],\"unread\":[{\"address\":3,\"count\":1}]}");
    jsonw_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_orders),
        cmocka_unit_test(shortest_decimals),
        cmocka_unit_test(which_floats_are_plausible),
        cmocka_unit_test(which_integers_are_plausible),
        cmocka_unit_test(halves_of_two_values),
        cmocka_unit_test(parts_of_a_register),
        cmocka_unit_test(registers_there_and_back),
        cmocka_unit_test(a_table_of_registers),
        cmocka_unit_test(a_table_of_bits),
        cmocka_unit_test(the_same_for_tools),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
