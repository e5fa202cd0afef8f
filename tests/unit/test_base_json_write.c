/* LINK rg_base m */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/random.h"

static void expect_double(double value, const char *text)
{
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_double(&w, value);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_string_equal(w.text, text);
    jsonw_free(&w);
}

static void expect_float(float value, const char *text)
{
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_float(&w, value);
    assert_string_equal(w.text, text);
    jsonw_free(&w);
}

static void doubles_have_their_shortest_text(void **state)
{
    (void)state;
    expect_double(12.3, "12.3");
    expect_double(31.5, "31.5");
    expect_double(0.4, "0.4");
    expect_double(-0.05, "-0.05");
    expect_double(1e-7, "1e-7");
    expect_double(0.000001, "0.000001");
    expect_double(0, "0");
    expect_double(-0.0, "0");
    expect_double(1, "1");
    expect_double(-1, "-1");
    expect_double(0.1 + 0.2, "0.30000000000000004");
    expect_double(1.0 / 3, "0.3333333333333333");
    expect_double(123456.654321, "123456.654321");
    expect_double(9007199254740991.0, "9007199254740991");
    expect_double(-9007199254740991.0, "-9007199254740991");
    expect_double(1e15, "1000000000000000");
    expect_double(999999999.999999, "999999999.999999");
    expect_double(1e22, "1e22");
    expect_double(1e100, "1e100");
    expect_double(DBL_MAX, "1.7976931348623157e308");
    expect_double(DBL_MIN, "2.2250738585072014e-308");
    expect_double(5e-324, "5e-324");
    expect_double(NAN, "null");
    expect_double(INFINITY, "null");
    expect_double(-INFINITY, "null");
}

static void floats_have_their_shortest_text(void **state)
{
    (void)state;
    expect_float(10802.12f, "10802.12");
    expect_float(0.1f, "0.1");
    expect_float(-20.9f, "-20.9");
    expect_float(16777216.0f, "16777216");
    expect_float(-0.0f, "0");
    expect_float(1e-7f, "1e-7");
    expect_float(FLT_MAX, "3.4028235e38");
    expect_float(FLT_MIN, "1.1754944e-38");
    expect_float(1e-45f, "1e-45");
    expect_float(NAN, "null");
}

static void integers_at_their_bounds(void **state)
{
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    jsonw_array_begin(&w);
    jsonw_int(&w, INT64_MIN);
    jsonw_int(&w, INT64_MAX);
    jsonw_int(&w, 0);
    jsonw_int(&w, -7);
    jsonw_uint(&w, UINT64_MAX);
    jsonw_uint(&w, 10);
    jsonw_array_end(&w);
    assert_string_equal(w.text, "[-9223372036854775808,9223372036854775807,0,-7,18446744073709551615,10]");
    jsonw_free(&w);
}

/* Significant digits of a number's text: no leading zeros; trailing zeros of a whole number do not count either. */
static int digits_of(const char *text)
{
    int digits = 0;
    int zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && digits == 0))
            continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return digits - zeros;
}

static void expect_shortest(struct jsonw *w, double value, uint64_t seed)
{
    int digits = 17;
    char text[64];

    jsonw_reset(w);
    jsonw_double(w, value);
    if (strtod(w->text, NULL) != value)
        fail_msg("seed %llu: %.17g became %s", (unsigned long long)seed, value, w->text);
    while (digits > 1) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 2, value);
        if (strtod(text, NULL) != value)
            break;
        digits--;
    }
    /* Whole numbers below 2^53 are written out, be it that fewer digits and an exponent would do. */
    if (value != trunc(value) && digits_of(w->text) > digits)
        fail_msg("seed %llu: %.17g has %d digits, not %s", (unsigned long long)seed, value, digits, w->text);
}

static void random_doubles_read_back_and_are_shortest(void **state)
{
    uint64_t seed = random_system_seed();
    struct rg_random r;
    struct jsonw w;

    (void)state;
    random_seed(&r, seed);
    jsonw_init(&w, 0);
    for (int i = 0; i < 30000; i++) {
        uint64_t bits = random_next(&r);
        double value;

        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            expect_shortest(&w, value, seed);
        /* What sensors give: an integer over a power of ten. */
        value = (double)(int64_t)random_below(&r, 200000000) - 1e8;
        value /= pow(10, (double)random_below(&r, 9));
        expect_shortest(&w, value, seed);
        /* Near the end of the fast way. */
        value = (double)random_below(&r, (uint64_t)1 << 53) / pow(10, (double)random_below(&r, 8));
        expect_shortest(&w, value, seed);
    }
    jsonw_free(&w);
}

static void random_floats_read_back(void **state)
{
    uint64_t seed = random_system_seed();
    struct rg_random r;
    struct jsonw w;

    (void)state;
    random_seed(&r, seed);
    jsonw_init(&w, 0);
    for (int i = 0; i < 100000; i++) {
        uint32_t bits = (uint32_t)random_next(&r);
        float value;

        memcpy(&value, &bits, sizeof value);
        if (i % 2)
            value = (float)((double)random_below(&r, 100000000) / 1000);
        if (!isfinite(value))
            continue;
        jsonw_reset(&w);
        jsonw_float(&w, value);
        /* Both kinds of reader: one that knows floats, and one that takes all numbers for doubles. */
        if (strtof(w.text, NULL) != value || (float)strtod(w.text, NULL) != value)
            fail_msg("seed %llu: %.9g became %s", (unsigned long long)seed, (double)value, w.text);
        /* Whole numbers are written out; others never need more than 9 digits. */
        if (value != truncf(value) && digits_of(w.text) > 9)
            fail_msg("seed %llu: %.9g became %s", (unsigned long long)seed, (double)value, w.text);
    }
    jsonw_free(&w);
}

static void numbers_do_not_follow_the_locale(void **state)
{
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF.UTF-8"};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(commas); i++) {
        if (setlocale(LC_NUMERIC, commas[i]))
            break;
    }
    /* Without such a locale installed this says what the others say already. */
    expect_double(1.0 / 3, "0.3333333333333333");
    expect_double(1.5e-9, "1.5e-9");
    (void)setlocale(LC_NUMERIC, "C");
}

static void expect_quoted(const char *value, size_t length, const char *text)
{
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_string_n(&w, value, length);
    assert_string_equal(w.text, text);
    jsonw_free(&w);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    expect_quoted("", 0, "\"\"");
    expect_quoted("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    expect_quoted("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
    expect_quoted("\x00\x01\x1f\x7f ", 5, "\"\\u0000\\u0001\\u001f\\u007f \"");
    expect_quoted("可燃气体 °C €", 20, "\"可燃气体 °C €\"");
    expect_quoted("\xf0\x9f\x94\xa5", 4, "\"\xf0\x9f\x94\xa5\"");
}

static void broken_utf8_is_replaced(void **state)
{
    (void)state;
    expect_quoted("a\xff"
                  "b",
                  3,
                  "\"a\xef\xbf\xbd"
                  "b\"");
    /* Overlong, surrogate, beyond U+10FFFF, cut off at the end. */
    expect_quoted("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_quoted("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_quoted("\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_quoted("x\xe2\x82", 3, "\"x\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_quoted("\xe2\"", 2, "\"\xef\xbf\xbd\\\"\"");
}

static void commas_and_nesting(void **state)
{
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    jsonw_key_int(&w, "a", 1);
    jsonw_key(&w, "b");
    jsonw_array_begin(&w);
    jsonw_array_end(&w);
    jsonw_key(&w, "c");
    jsonw_array_begin(&w);
    jsonw_object_begin(&w);
    jsonw_object_end(&w);
    jsonw_null(&w);
    jsonw_bool(&w, false);
    jsonw_raw(&w, "{\"x\":1}", 7);
    jsonw_array_end(&w);
    jsonw_key_null(&w, "d");
    jsonw_key_bool(&w, "e", true);
    jsonw_key_string(&w, "f", NULL);
    jsonw_key_string(&w, "g\n", "h");
    jsonw_key_double(&w, "i", 0.5);
    jsonw_object_end(&w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_string_equal(w.text,
                        "{\"a\":1,\"b\":[],\"c\":[{},null,false,{\"x\":1}],\"d\":null,\"e\":true,\"f\":null,"
                        "\"g\\n\":\"h\",\"i\":0.5}");
    assert_int_equal(w.length, strlen(w.text));
    jsonw_free(&w);
}

static void a_fragment_needs_no_braces(void **state)
{
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    jsonw_key_int(&w, "ts", 1);
    jsonw_key(&w, "values");
    jsonw_object_begin(&w);
    jsonw_key_int(&w, "lel", 2);
    jsonw_object_end(&w);
    jsonw_key_int(&w, "x", 3);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_string_equal(w.text, "\"ts\":1,\"values\":{\"lel\":2},\"x\":3");
    jsonw_free(&w);
}

static void bad_nesting_is_an_error(void **state)
{
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    jsonw_object_end(&w);
    assert_int_equal(jsonw_error(&w), RG_ESTATE);
    jsonw_reset(&w);
    jsonw_object_begin(&w);
    jsonw_array_end(&w);
    assert_int_equal(jsonw_error(&w), RG_ESTATE);
    jsonw_reset(&w);
    jsonw_object_begin(&w);
    jsonw_int(&w, 1);
    assert_int_equal(jsonw_error(&w), RG_ESTATE);
    jsonw_reset(&w);
    jsonw_array_begin(&w);
    jsonw_key(&w, "a");
    assert_int_equal(jsonw_error(&w), RG_ESTATE);
    jsonw_reset(&w);
    jsonw_object_begin(&w);
    jsonw_key(&w, "a");
    jsonw_object_end(&w);
    assert_int_equal(jsonw_error(&w), RG_ESTATE);
    jsonw_reset(&w);
    jsonw_key(&w, "a");
    jsonw_reset(&w);
    jsonw_key(&w, "a");
    assert_int_equal(jsonw_error(&w), RG_OK);
    jsonw_object_end(&w);
    assert_int_equal(jsonw_error(&w), RG_ESTATE);
    /* The error stays and nothing is written any more, until reset. */
    jsonw_int(&w, 1);
    assert_string_equal(w.text, "\"a\":");
    jsonw_reset(&w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_string_equal(w.text, "");
    for (int i = 0; i < JSONW_DEPTH; i++)
        jsonw_array_begin(&w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    jsonw_array_begin(&w);
    assert_int_equal(jsonw_error(&w), RG_ESTATE);
    jsonw_free(&w);
}

static void a_fixed_buffer_is_never_overrun(void **state)
{
    static const char text[] = "{\"a\":[1,2,\"three\"]}";

    (void)state;
    for (size_t size = 0; size < sizeof text + 2; size++) {
        char *memory = malloc(size ? size : 1);
        struct jsonw w;

        assert_non_null(memory);
        jsonw_init_fixed(&w, memory, size);
        jsonw_object_begin(&w);
        jsonw_key(&w, "a");
        jsonw_array_begin(&w);
        jsonw_int(&w, 1);
        jsonw_double(&w, 2);
        jsonw_string(&w, "three");
        jsonw_array_end(&w);
        jsonw_object_end(&w);
        assert_int_equal(jsonw_error(&w), size >= sizeof text ? RG_OK : RG_EFULL);
        if (size >= sizeof text)
            assert_string_equal(w.text, text);
        else if (size > 0)
            assert_int_equal(strncmp(w.text, text, w.length), 0);
        jsonw_free(&w);
        free(memory);
    }
}

/* Both ways write into twins, which have to stay the same to the last byte. */
struct twins {
    struct jsonw one, two;
    uint64_t seed;
};

static void write_member(struct twins *t, const char *id, double value, bool single)
{
    jsonw_id_number(&t->one, id, value, single);
    jsonw_key(&t->two, id);
    if (single)
        jsonw_float(&t->two, (float)value);
    else
        jsonw_double(&t->two, value);
    if (jsonw_error(&t->one) != jsonw_error(&t->two) || t->one.length != t->two.length ||
        t->one.comma != t->two.comma || t->one.keyed != t->two.keyed)
        fail_msg("seed %llu: %s %.17g", (unsigned long long)t->seed, id, value);
    if (t->one.text)
        assert_string_equal(t->one.text, t->two.text);
}

static double some_number(struct rg_random *r)
{
    static const double odd[] = {0,        -0.0, 0.1,  -0.05, 1e300, 5e-324, 9007199254740993.0,
                                 999999.5, 1e15, -1e15};
    double value = (double)(int64_t)random_below(r, 20000000) - 1e7;

    switch (random_below(r, 6)) {
    case 0:
        return odd[random_below(r, sizeof odd / sizeof odd[0])];
    case 1:
        return random_below(r, 2) ? (double)NAN : (double)-INFINITY;
    case 2:
        return value * 1.1e-7;
    case 3:
        return (double)random_below(r, 65536);
    default:
        return value / pow(10, (double)random_below(r, 9));
    }
}

static void a_member_is_its_key_and_its_number(void **state)
{
    static const char *const ids[] = {
        "a", "lel", "a-long.name_of-a-point.that_is-64-characters.long-as-they-may-be-0123", "p42"};
    struct twins t = {.seed = random_system_seed()};
    char memory[2][400];
    struct rg_random r;

    (void)state;
    random_seed(&r, t.seed);
    for (int i = 0; i < 3000; i++) {
        const size_t size = (size_t)random_below(&r, sizeof memory[0]);
        const bool fixed = random_below(&r, 2) == 0;

        if (fixed) {
            jsonw_init_fixed(&t.one, memory[0], size);
            jsonw_init_fixed(&t.two, memory[1], size);
        } else {
            jsonw_init(&t.one, size * 4);
            jsonw_init(&t.two, size * 4);
        }
        if (random_below(&r, 4) > 0) {
            const bool object = random_below(&r, 8) > 0; /* else the key stands where none may */

            (object ? jsonw_object_begin : jsonw_array_begin)(&t.one);
            (object ? jsonw_object_begin : jsonw_array_begin)(&t.two);
        }
        for (uint64_t k = random_below(&r, 20); k > 0; k--) {
            if (random_below(&r, 50) == 0) { /* a key whose value is missing */
                jsonw_key(&t.one, "x");
                jsonw_key(&t.two, "x");
            }
            write_member(&t, ids[random_below(&r, sizeof ids / sizeof ids[0])], some_number(&r),
                         random_below(&r, 3) == 0);
        }
        jsonw_free(&t.one);
        jsonw_free(&t.two);
    }
}

static void the_limit_holds(void **state)
{
    struct jsonw w;

    (void)state;
    /* 9 bytes and the NUL. */
    for (size_t limit = 1; limit < 20; limit++) {
        jsonw_init(&w, limit);
        jsonw_raw(&w, "1234", 4);
        jsonw_raw(&w, "5678", 4);
        assert_int_equal(jsonw_error(&w), limit > 9 ? RG_OK : RG_EFULL);
        jsonw_free(&w);
    }
    jsonw_init(&w, 1000);
    for (int i = 0; i < 1000; i++)
        jsonw_raw(&w, "12345678", 8);
    assert_int_equal(jsonw_error(&w), RG_EFULL);
    assert_true(w.capacity <= 1000);
    assert_true(w.length < 1000);
    assert_int_equal(w.length, strlen(w.text));
    jsonw_free(&w);
    jsonw_init(&w, 1000);
    for (int i = 0; i < 111; i++)
        jsonw_raw(&w, "12345678", 8); /* 8 + 110 * 9 = 998, and the NUL */
    assert_int_equal(jsonw_error(&w), RG_OK);
    jsonw_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_have_their_shortest_text),
        cmocka_unit_test(floats_have_their_shortest_text),
        cmocka_unit_test(integers_at_their_bounds),
        cmocka_unit_test(random_doubles_read_back_and_are_shortest),
        cmocka_unit_test(random_floats_read_back),
        cmocka_unit_test(numbers_do_not_follow_the_locale),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(broken_utf8_is_replaced),
        cmocka_unit_test(commas_and_nesting),
        cmocka_unit_test(a_fragment_needs_no_braces),
        cmocka_unit_test(bad_nesting_is_an_error),
        cmocka_unit_test(a_fixed_buffer_is_never_overrun),
        cmocka_unit_test(a_member_is_its_key_and_its_number),
        cmocka_unit_test(the_limit_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
