/* LINK rg_base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"

static void identifiers(void **state)
{
    char longest[TEXT_ID_MAX + 2];

    (void)state;
    assert_true(text_is_id("gas-1"));
    assert_true(text_is_id("A.b_c-9"));
    assert_true(text_is_id("-"));
    assert_false(text_is_id(""));
    assert_false(text_is_id(NULL));
    assert_false(text_is_id("a b"));
    assert_false(text_is_id("a/b"));
    assert_false(text_is_id("a*"));
    assert_false(text_is_id("探头"));
    memset(longest, 'x', sizeof longest);
    longest[TEXT_ID_MAX] = '\0';
    assert_true(text_is_id(longest));
    longest[TEXT_ID_MAX] = 'x';
    longest[TEXT_ID_MAX + 1] = '\0';
    assert_false(text_is_id(longest));
}

/* U+0000 to U+10FFFF but for the surrogates, each encoded by the textbook, is one character; every other lead is none. */
static void utf8_takes_each_character_and_nothing_else(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x11ffff; c++) {
        size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        char text[4];

        text[0] = (char)(lead[length] | c >> (6 * (length - 1)));
        for (size_t i = 1; i < length; i++)
            text[i] = (char)(0x80 | (c >> (6 * (length - 1 - i)) & 0x3f));
        if (text_utf8_length(text, length) != (valid ? length : 0))
            fail_msg("U+%04X", c);
        if (text_utf8_length(text, length - 1) != 0)
            fail_msg("U+%04X, cut short", c);
    }
    assert_false(text_is_utf8("\xc0\x80", 2));
    assert_false(text_is_utf8("\xc1\xbf", 2));
    assert_false(text_is_utf8("\xe0\x9f\xbf", 3));
    assert_false(text_is_utf8("\xf0\x8f\xbf\xbf", 4));
    assert_false(text_is_utf8("\x80", 1));
    assert_false(text_is_utf8("\xfe", 1));
    assert_false(text_is_utf8("ok\xe2\x82", 4));
    assert_true(text_is_utf8("", 0));
    assert_true(text_is_utf8("a\0b", 3));
    assert_true(text_is_utf8("可燃气体 \xf0\x9f\x94\xa5", 17));
}

static void globs(void **state)
{
    (void)state;
    assert_true(text_glob("*.lel", "gas-1.lel"));
    assert_true(text_glob("*", ""));
    assert_true(text_glob("*", "a.b.c"));
    assert_true(text_glob("", ""));
    assert_true(text_glob("gas-?.*", "gas-1.lel"));
    assert_true(text_glob("a*b*c", "aXbYbZc"));
    assert_true(text_glob("**a**", "a"));
    assert_true(text_glob("a.b", "a.b"));
    assert_true(text_glob("[a]", "[a]"));
    assert_true(text_glob("?", "探"));
    assert_true(text_glob("*?", "探头"));
    assert_true(text_glob("??", "探头"));
    assert_false(text_glob("*??", "探"));
    assert_false(text_glob("?", ""));
    assert_false(text_glob("", "a"));
    assert_false(text_glob("a", "ab"));
    assert_false(text_glob("ab", "a"));
    assert_false(text_glob("a.b", "axb"));
    assert_false(text_glob("*.lel", "gas-1.lel2"));
    assert_false(text_glob("a*b", "aXbY"));
    assert_true(text_has_glob("a*"));
    assert_true(text_has_glob("a?"));
    assert_false(text_has_glob("a.b"));
}

/* By the book, exponential: only for short texts. */
static bool glob_by_the_book(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return glob_by_the_book(pattern + 1, text) || (*text && glob_by_the_book(pattern, text + 1));
    return *text && (*pattern == '?' || *pattern == *text) && glob_by_the_book(pattern + 1, text + 1);
}

static void globs_agree_with_the_book(void **state)
{
    uint64_t seed = random_system_seed();
    struct rg_random r;

    (void)state;
    random_seed(&r, seed);
    for (int i = 0; i < 200000; i++) {
        char pattern[9] = "";
        char text[9] = "";

        for (uint64_t n = random_below(&r, 9); n > 0; n--)
            pattern[n - 1] = "ab*?*a"[random_below(&r, 6)];
        for (uint64_t n = random_below(&r, 9); n > 0; n--)
            text[n - 1] = "ab"[random_below(&r, 2)];
        if (text_glob(pattern, text) != glob_by_the_book(pattern, text))
            fail_msg("seed %llu: '%s' against '%s'", (unsigned long long)seed, pattern, text);
    }
}

static void a_glob_does_not_blow_up(void **state)
{
    size_t length = 4000;
    char *pattern = calloc(length + 1, 1);
    char *text = calloc(length + 1, 1);
    clock_t begin = clock();

    (void)state;
    assert_non_null(pattern);
    assert_non_null(text);
    for (size_t i = 0; i < length / 2; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    pattern[length - 1] = 'b';
    memset(text, 'a', length);
    assert_false(text_glob(pattern, text));
    /* 16 million steps at most; what backtracks would not end before the universe. */
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 5);
    free(pattern);
    free(text);
}

static void distances(void **state)
{
    char a[200], b[200];

    (void)state;
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("abc", ""), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("holding", "holdnig"), 2);
    assert_int_equal(text_distance("same", "same"), 0);
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    a[199] = b[199] = '\0';
    assert_int_equal(text_distance(a, b), 64);
    assert_int_equal(text_distance(a, ""), 64);
}

static void distances_are_a_metric(void **state)
{
    uint64_t seed = random_system_seed();
    struct rg_random r;

    (void)state;
    random_seed(&r, seed);
    for (int i = 0; i < 20000; i++) {
        char t[3][11] = {"", "", ""};
        unsigned ab, bc, ac;

        for (int k = 0; k < 3; k++) {
            for (uint64_t n = random_below(&r, 11); n > 0; n--)
                t[k][n - 1] = "abc"[random_below(&r, 3)];
        }
        ab = text_distance(t[0], t[1]);
        bc = text_distance(t[1], t[2]);
        ac = text_distance(t[0], t[2]);
        if (ab != text_distance(t[1], t[0]) || ac > ab + bc || (ab == 0) != (strcmp(t[0], t[1]) == 0))
            fail_msg("seed %llu: '%s' '%s' '%s'", (unsigned long long)seed, t[0], t[1], t[2]);
    }
}

static void the_nearest_name(void **state)
{
    static const char *const names[] = {"holding", "input", "coil", "discrete", "on_delay", "off_delay"};

    (void)state;
    assert_string_equal(text_nearest("holdng", names, RG_COUNT(names)), "holding");
    assert_string_equal(text_nearest("offdelay", names, RG_COUNT(names)), "off_delay");
    assert_string_equal(text_nearest("coil", names, RG_COUNT(names)), "coil");
    assert_null(text_nearest("threshold", names, RG_COUNT(names)));
    assert_null(text_nearest("coil", names, 0));
    /* The bound itself: 2 of a short name are near, 3 are not. */
    assert_string_equal(text_nearest("coxx", names, RG_COUNT(names)), "coil");
    assert_null(text_nearest("cxxx", names, RG_COUNT(names)));
    /* Of two equally near ones, the first. */
    assert_string_equal(text_nearest("of_delay", names, RG_COUNT(names)), "on_delay");
}

static void expect_duration(const char *text, enum rg_err err, int64_t expected)
{
    int64_t ms = -1;

    if (text_duration(text, &ms) != err || ms != expected)
        fail_msg("'%s' gave %lld", text, (long long)ms);
}

static void durations(void **state)
{
    (void)state;
    expect_duration("250ms", RG_OK, 250);
    expect_duration("3s", RG_OK, 3000);
    expect_duration("15m", RG_OK, 900000);
    expect_duration("8h", RG_OK, 28800000);
    expect_duration("30d", RG_OK, 2592000000);
    expect_duration("3y", RG_OK, 94608000000);
    expect_duration("0s", RG_OK, 0);
    expect_duration("100y", RG_OK, 3153600000000);
    expect_duration("36500d", RG_OK, 3153600000000);
    expect_duration("36501d", RG_ERANGE, -1);
    expect_duration("101y", RG_ERANGE, -1);
    expect_duration("3153600000001ms", RG_ERANGE, -1);
    expect_duration("99999999999999999999999s", RG_ERANGE, -1);
    expect_duration("", RG_EINVAL, -1);
    expect_duration("3", RG_EINVAL, -1);
    expect_duration("s", RG_EINVAL, -1);
    expect_duration("3 s", RG_EINVAL, -1);
    expect_duration(" 3s", RG_EINVAL, -1);
    expect_duration("3s ", RG_EINVAL, -1);
    expect_duration("+3s", RG_EINVAL, -1);
    expect_duration("-3s", RG_EINVAL, -1);
    expect_duration("1.5s", RG_EINVAL, -1);
    expect_duration("3S", RG_EINVAL, -1);
    expect_duration("3sec", RG_EINVAL, -1);
    expect_duration("99999999999999999999999x", RG_EINVAL, -1);
}

static void expect_size(const char *text, enum rg_err err, int64_t expected)
{
    int64_t bytes = -1;

    if (text_size(text, &bytes) != err || bytes != expected)
        fail_msg("'%s' gave %lld", text, (long long)bytes);
}

static void sizes(void **state)
{
    (void)state;
    expect_size("0", RG_OK, 0);
    expect_size("512", RG_OK, 512);
    expect_size("64KiB", RG_OK, 65536);
    expect_size("8MiB", RG_OK, 8388608);
    expect_size("4GiB", RG_OK, 4294967296);
    expect_size("9223372036854775807", RG_OK, INT64_MAX);
    expect_size("9223372036854775808", RG_ERANGE, -1);
    expect_size("9007199254740992KiB", RG_ERANGE, -1);
    expect_size("4GB", RG_EINVAL, -1);
    expect_size("4 GiB", RG_EINVAL, -1);
    expect_size("KiB", RG_EINVAL, -1);
    expect_size("", RG_EINVAL, -1);
    expect_size("-1", RG_EINVAL, -1);
}

static void durations_are_written_short_and_read_back(void **state)
{
    uint64_t seed = random_system_seed();
    struct rg_random r;
    char out[32];

    (void)state;
    assert_string_equal(text_format_duration(0, out), "0s");
    assert_string_equal(text_format_duration(1500, out), "1500ms");
    assert_string_equal(text_format_duration(60000, out), "1m");
    assert_string_equal(text_format_duration(90000, out), "90s");
    assert_string_equal(text_format_duration(2592000000, out), "30d");
    assert_string_equal(text_format_duration(94608000000, out), "3y");
    assert_string_equal(text_format_duration(-3000, out), "-3s");
    assert_non_null(text_format_duration(INT64_MIN, out));
    assert_non_null(text_format_duration(INT64_MAX, out));
    random_seed(&r, seed);
    for (int i = 0; i < 10000; i++) {
        static const uint64_t factors[] = {1, 1000, 60000, 3600000, 86400000};
        int64_t ms = (int64_t)(random_below(&r, 1000) * factors[random_below(&r, 5)]);
        int64_t back = -1;

        if (text_duration(text_format_duration(ms, out), &back) != RG_OK || back != ms)
            fail_msg("seed %llu: %lld became %s", (unsigned long long)seed, (long long)ms, out);
    }
}

static void copies_never_cut_a_character(void **state)
{
    static const char text[] = "a°€\xf0\x9f\x94\xa5";
    /* For each size of the array: how many bytes of the text it can hold. */
    static const size_t held[] = {0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

    (void)state;
    for (size_t size = 0; size < RG_COUNT(held); size++) {
        char *out = malloc(size ? size : 1);

        assert_non_null(out);
        assert_int_equal(text_copy(out, size, text), size >= sizeof text);
        if (size > 0) {
            assert_int_equal(strlen(out), held[size]);
            assert_memory_equal(out, text, held[size]);
        }
        free(out);
    }
}

static void formatting_says_whether_it_fitted(void **state)
{
    char out[4] = "zzz";

    (void)state;
    assert_true(text_format(out, sizeof out, "%d", 123));
    assert_string_equal(out, "123");
    assert_false(text_format(out, sizeof out, "%d", 1234));
    assert_string_equal(out, "123");
    assert_false(text_format(out, 0, "%d", 9));
    assert_string_equal(out, "123");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers),
        cmocka_unit_test(utf8_takes_each_character_and_nothing_else),
        cmocka_unit_test(globs),
        cmocka_unit_test(globs_agree_with_the_book),
        cmocka_unit_test(a_glob_does_not_blow_up),
        cmocka_unit_test(distances),
        cmocka_unit_test(distances_are_a_metric),
        cmocka_unit_test(the_nearest_name),
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations_are_written_short_and_read_back),
        cmocka_unit_test(copies_never_cut_a_character),
        cmocka_unit_test(formatting_says_whether_it_fitted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
