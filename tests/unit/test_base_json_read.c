/* LINK rg_base m */
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

#define MAX_BYTES ((size_t)1 << 20)

/* From an allocation of the exact size, so that a read past the end is seen. */
static enum rg_err parse_n(const char *text, size_t length, struct json **out)
{
    char *exact = malloc(length ? length : 1);
    enum rg_err err;

    assert_non_null(exact);
    memcpy(exact, text, length);
    err = json_parse(exact, length, MAX_BYTES, out);
    free(exact);
    if (err != RG_OK)
        assert_null(*out);
    else
        assert_non_null(*out);
    return err;
}

static struct json *parse(const char *text)
{
    struct json *json = NULL;

    if (parse_n(text, strlen(text), &json) != RG_OK)
        fail_msg("refused: %s", text);
    return json;
}

static void a_tree_is_read(void **state)
{
    struct json *root = parse(" {\"s\":\"\\u00e9\\n\",\"n\":-12.5e1,\"t\":true,\"f\":false,\"z\":null,"
                              "\"a\":[1,2,3],\"o\":{\"k\":[]},\"\":0} \r\n\t");
    const struct json *a = json_get(root, "a");
    int sum = 0;

    (void)state;
    assert_true(json_is_object(root));
    assert_int_equal(json_size(root), 8);
    assert_string_equal(json_string(json_get(root, "s")), "\xc3\xa9\n");
    assert_true(json_double(json_get(root, "n"), 0) == -125);
    assert_int_equal(json_int(json_get(root, "n"), 0), -125);
    assert_true(json_bool(json_get(root, "t"), false));
    assert_false(json_bool(json_get(root, "f"), true));
    assert_true(json_is_null(json_get(root, "z")));
    assert_non_null(json_get(root, ""));
    assert_true(json_is_array(a));
    assert_int_equal(json_size(a), 3);
    for (const struct json *e = json_first(a); e; e = json_next(e)) {
        assert_null(json_key(e));
        sum += (int)json_int(e, 100);
    }
    assert_int_equal(sum, 6);
    assert_string_equal(json_key(json_first(root)), "s");
    assert_null(json_get(root, "S"));
    assert_null(json_get(root, "missing"));
    json_free(root);
}

static void null_and_other_kinds_give_otherwise(void **state)
{
    struct json *root = parse("[\"1\",1.5,true]");
    const struct json *text = json_first(root);
    const struct json *number = json_next(text);

    (void)state;
    assert_null(json_get(NULL, "a"));
    assert_null(json_get(root, "a"));
    assert_null(json_first(NULL));
    assert_null(json_first(text));
    assert_null(json_next(NULL));
    assert_null(json_key(NULL));
    assert_int_equal(json_size(NULL), 0);
    assert_int_equal(json_size(text), 0);
    assert_false(json_is_null(NULL));
    assert_false(json_is_object(NULL));
    assert_false(json_is_array(NULL));
    assert_false(json_is_bool(NULL));
    assert_false(json_is_number(NULL));
    assert_null(json_string(NULL));
    assert_null(json_string(number));
    assert_int_equal(json_int(NULL, 7), 7);
    assert_int_equal(json_int(text, 7), 7);
    assert_int_equal(json_int(number, 7), 7);
    assert_true(json_double(text, 7) == 7);
    assert_true(json_bool(NULL, true));
    assert_true(json_bool(text, true));
    json_free(root);
    json_free(NULL);
}

static int64_t int_of(const char *text)
{
    struct json *json = parse(text);
    int64_t value = json_int(json, -1);

    json_free(json);
    return value;
}

static void integers_are_exact_or_refused(void **state)
{
    (void)state;
    assert_int_equal(int_of("9007199254740991"), 9007199254740991);
    assert_int_equal(int_of("-9007199254740991"), -9007199254740991);
    assert_int_equal(int_of("9007199254740992"), -1);
    assert_int_equal(int_of("9007199254740993"), -1);
    assert_int_equal(int_of("1e400"), -1);
    assert_int_equal(int_of("1e3"), 1000);
    assert_int_equal(int_of("0.5"), -1);
    assert_int_equal(int_of("-0"), 0);
}

static void an_infinite_number_is_none(void **state)
{
    struct json *json = parse("1e999");

    (void)state;
    assert_false(json_is_number(json));
    assert_true(json_double(json, 3) == 3);
    json_free(json);
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "nul",
        "True",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "-.5",
        "1e",
        "1e+",
        "0x10",
        "1 2",
        "[1 2]",
        "{} {}",
        "{}x",
        "tru e",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"a\nb\"",
        "\"\t\"",
        "[1]\v",
        "\f[1]",
        "\xef\xbb\xbf{}",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "/**/1",
        "[1]//",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "[{\"b\":{\"x\":1,\"y\":2,\"x\":3}}]",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
        "{\"a\\u0000b\":1}",
        "[1-2]",
        "[-]",
        "truefalse",
        "[[]",
        "[}",
        "{]",
        "nullnull",
        ",",
        ":",
        "{\"a\":1:2}",
        "[1:2]",
        "{1:2}",
    };
    struct json *json;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(texts); i++) {
        if (parse_n(texts[i], strlen(texts[i]), &json) != RG_EINVAL)
            fail_msg("taken: %s", texts[i]);
    }
    assert_int_equal(parse_n("[1]\0", 4, &json), RG_EINVAL);
    assert_int_equal(parse_n("\"a\0b\"", 5, &json), RG_EINVAL);
    assert_int_equal(parse_n("\0", 1, &json), RG_EINVAL);
}

static void what_only_looks_odd_is_taken(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1E5",
        "1e-05",
        "\"\"",
        "\"\\\\u0000\"",
        "\"\\ud83d\\udd25\"",
        "\"\x7f\"",
        "{\"a\":1,\"A\":2}",
        "{\"a\":{\"a\":1}}",
        "[[],{},null]",
        "\n\t\r 1 ",
        "\"\\/\"",
        "\"[[[[[[{{{{{{\"",
        "123456789012345678901234567890",
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(texts); i++)
        json_free(parse(texts[i]));
}

static enum rg_err parse_depth(size_t depth, char open, char close)
{
    char text[4096] = "";
    struct json *json;
    size_t at = 0;
    enum rg_err err;

    for (size_t i = 0; i < depth; i++) {
        text[at++] = open;
        if (open == '{' && i + 1 < depth) {
            memcpy(text + at, "\"a\":", 4);
            at += 4;
        }
    }
    for (size_t i = 0; i < depth; i++)
        text[at++] = close;
    err = parse_n(text, at, &json);
    json_free(json);
    return err;
}

static void depth_and_length_are_bounded(void **state)
{
    struct json *json;

    (void)state;
    assert_int_equal(parse_depth(JSON_DEPTH_MAX, '[', ']'), RG_OK);
    assert_int_equal(parse_depth(JSON_DEPTH_MAX + 1, '[', ']'), RG_ERANGE);
    assert_int_equal(parse_depth(JSON_DEPTH_MAX, '{', '}'), RG_OK);
    assert_int_equal(parse_depth(JSON_DEPTH_MAX + 1, '{', '}'), RG_ERANGE);
    assert_int_equal(parse_depth(500, '{', '}'), RG_ERANGE);
    assert_int_equal(json_parse("[1,2]", 5, 5, &json), RG_OK);
    json_free(json);
    assert_int_equal(json_parse("[1,2]", 5, 4, &json), RG_ERANGE);
    assert_null(json);
}

static void many_members_do_not_take_long(void **state)
{
    struct json *json;
    struct jsonw w;
    char key[32];

    (void)state;
    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    for (int i = 0; i < 50000; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        jsonw_key_int(&w, key, i);
    }
    jsonw_object_end(&w);
    assert_int_equal(parse_n(w.text, w.length, &json), RG_OK);
    assert_int_equal(json_size(json), 50000);
    json_free(json);
    /* And the same with one key twice, far apart. */
    w.length--;
    w.comma = true;
    w.depth = 1;
    w.kinds = 1;
    jsonw_key_int(&w, "k17", 1);
    jsonw_object_end(&w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_int_equal(parse_n(w.text, w.length, &json), RG_EINVAL);
    jsonw_free(&w);
}

/* Whatever is done to a good text, it is refused or read, within its bounds: the sanitizers watch. */
static void mutated_texts_do_no_harm(void **state)
{
    static const char good[] =
        "{\"v\":1,\"stream\":\"alarm\",\"upto\":12345,\"x\":[1.5e3,\"\\u00e9\\\"\",{\"a\":null}],\"t\":true}";
    uint64_t seed = random_system_seed();
    struct rg_random r;

    (void)state;
    random_seed(&r, seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 20000; i++) {
        char text[sizeof good];
        size_t length = sizeof good - 1;
        struct json *json;

        memcpy(text, good, sizeof good);
        for (uint64_t n = random_below(&r, 4); n > 0; n--)
            text[random_below(&r, length)] = (char)random_next(&r);
        length = random_below(&r, 4) ? length : random_below(&r, length + 1);
        (void)!parse_n(text, length, &json);
        json_free(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_read),
        cmocka_unit_test(null_and_other_kinds_give_otherwise),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(an_infinite_number_is_none),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(what_only_looks_odd_is_taken),
        cmocka_unit_test(depth_and_length_are_bounded),
        cmocka_unit_test(many_members_do_not_take_long),
        cmocka_unit_test(mutated_texts_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
