/* LINK rg_config */
/* The pure parts: numbers, end points, registers, scaling, credit codes, UTF-8. */
#include "config_rows.h"

#include "config/uscc.h"
#include "config/utf8.h"
#include "config/value.h"
#include "config/yaml.h"

/* GB 32100-2015; the codes and their check characters as in the project's golden vectors. */
static void test_uscc(void **state)
{
    static const struct {
        const char *code;
        enum uscc_verdict verdict;
        char expected;
    } rows[] = {
        {"91350100M000100Y43", USCC_GOOD, '3'},
        {"914403001922038216", USCC_GOOD, '6'},
        {"9144030071526726XG", USCC_GOOD, 'G'},
        {"91330100799655058B", USCC_GOOD, 'B'},
        {"91110000802100433B", USCC_GOOD, 'B'},
        {"91350100M000100Y42", USCC_BAD_CHECK, '3'},
        {"91310115MA1G4L1WXK", USCC_BAD_CHECK, '7'},
        {"91350100M000100Y4Z", USCC_BAD_CHARACTER, 0},
        {"91350100m000100Y43", USCC_BAD_CHARACTER, 0},
        {"9135010OM000100Y43", USCC_BAD_CHARACTER, 0},
        {"91350100M000100Y4", USCC_BAD_LENGTH, 0},
        {"91350100M000100Y433", USCC_BAD_LENGTH, 0},
        {"", USCC_BAD_LENGTH, 0},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char expected;

        assert_int_equal(uscc_check(rows[i].code, &expected), rows[i].verdict);
        assert_int_equal(expected, rows[i].expected);
    }
}

/* One wrong character is always found. */
static void test_uscc_faults(void **state)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    char code[] = "91350100M000100Y43";
    char expected;

    (void)state;
    for (size_t i = 0; i < USCC_LENGTH; i++) {
        char kept = code[i];

        for (const char *c = alphabet; *c; c++) {
            code[i] = *c;
            assert_int_equal(uscc_check(code, &expected), *c == kept ? USCC_GOOD : USCC_BAD_CHECK);
        }
        code[i] = kept;
    }
}

static void test_int(void **state)
{
    static const struct {
        const char *text;
        enum value_verdict verdict;
        int64_t value;
    } rows[] = {
        {"0", VALUE_GOOD, 0},
        {"-0", VALUE_GOOD, 0},
        {"+7", VALUE_GOOD, 7},
        {"-12", VALUE_GOOD, -12},
        {"0x10", VALUE_GOOD, 16},
        {"0XfF", VALUE_GOOD, 255},
        {"010", VALUE_LEADING_ZERO, 0},
        {"00", VALUE_LEADING_ZERO, 0},
        {"", VALUE_NOT, 0},
        {"-", VALUE_NOT, 0},
        {"0x", VALUE_NOT, 0},
        {"1 ", VALUE_NOT, 0},
        {" 1", VALUE_NOT, 0},
        {"1_000", VALUE_NOT, 0},
        {"0o17", VALUE_NOT, 0},
        {"1.0", VALUE_NOT, 0},
        {"1e3", VALUE_NOT, 0},
        {"9223372036854775807", VALUE_GOOD, INT64_MAX},
        {"9223372036854775808", VALUE_TOO_LARGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        int64_t value = 0;

        assert_int_equal(value_int(rows[i].text, &value), rows[i].verdict);
        assert_true(value == rows[i].value);
    }
}

static void test_number(void **state)
{
    static const struct {
        const char *text;
        enum value_verdict verdict;
        double value;
    } rows[] = {
        {"1", VALUE_GOOD, 1},          {"-0.5", VALUE_GOOD, -0.5}, {".5", VALUE_GOOD, 0.5},
        {"5.", VALUE_GOOD, 5},         {"1e3", VALUE_GOOD, 1e3},   {"1E-3", VALUE_GOOD, 1e-3},
        {"0x20", VALUE_GOOD, 32},      {"007", VALUE_GOOD, 7},     {".", VALUE_NOT, 0},
        {"1e", VALUE_NOT, 0},          {"nan", VALUE_NOT, 0},      {".inf", VALUE_NOT, 0},
        {"inf", VALUE_NOT, 0},         {"1,5", VALUE_NOT, 0},      {"1.5.2", VALUE_NOT, 0},
        {"1e999", VALUE_TOO_LARGE, 0}, {"0x1p3", VALUE_NOT, 0},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        double value = 0;

        assert_int_equal(value_number(rows[i].text, &value), rows[i].verdict);
        assert_true(value == rows[i].value);
    }
}

static void test_endpoint(void **state)
{
    static const struct {
        const char *text, *host;
        enum endpoint_verdict verdict;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:502", "127.0.0.1", ENDPOINT_GOOD, 502},
        {"plc-1.shop:1", "plc-1.shop", ENDPOINT_GOOD, 1},
        {"[::1]:65535", "::1", ENDPOINT_GOOD, 65535},
        {"[fe80::1%eth0]:502", "fe80::1%eth0", ENDPOINT_GOOD, 502},
        {"host", "host", ENDPOINT_NO_PORT, 0},
        {"[::1]", "::1", ENDPOINT_NO_PORT, 0},
        {"host:", NULL, ENDPOINT_BAD_PORT, 0},
        {"host:0", NULL, ENDPOINT_BAD_PORT, 0},
        {"host:65536", NULL, ENDPOINT_BAD_PORT, 0},
        {"host:0502", NULL, ENDPOINT_BAD_PORT, 0},
        {"host:-1", NULL, ENDPOINT_BAD_PORT, 0},
        {"[::1]x", NULL, ENDPOINT_BAD_PORT, 0},
        {"::1", NULL, ENDPOINT_BARE_IPV6, 0},
        {"[::1", NULL, ENDPOINT_BAD_HOST, 0},
        {"[fe80::1%]:1", NULL, ENDPOINT_BAD_HOST, 0},
        {"[1.2.3.4]:1", NULL, ENDPOINT_BAD_HOST, 0},
        {"", NULL, ENDPOINT_BAD_HOST, 0},
        {":502", NULL, ENDPOINT_BAD_HOST, 0},
        {"256.0.0.1:502", NULL, ENDPOINT_BAD_HOST, 0},
        {"ho st:502", NULL, ENDPOINT_BAD_HOST, 0},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char host[ENDPOINT_HOST_MAX];
        uint16_t port = 0;

        assert_int_equal(value_endpoint(rows[i].text, host, &port), rows[i].verdict);
        assert_int_equal(port, rows[i].port);
        if (rows[i].host)
            assert_string_equal(host, rows[i].host);
    }
    assert_true(value_is_loopback("127.0.0.53") && value_is_loopback("::1") &&
                value_is_loopback("localhost"));
    assert_false(value_is_loopback("127.example.org") || value_is_loopback("10.0.0.1"));
}

static void test_register(void **state)
{
    static const struct {
        const char *text;
        enum point_space space;
        uint16_t address;
    } good[] = {
        {"00001", SPACE_COIL, 0},      {"09999", SPACE_COIL, 9998},  {"10001", SPACE_DISCRETE, 0},
        {"30031", SPACE_INPUT, 30},    {"40001", SPACE_HOLDING, 0},  {"49999", SPACE_HOLDING, 9998},
        {"000001", SPACE_COIL, 0},     {"400001", SPACE_HOLDING, 0}, {"465536", SPACE_HOLDING, 65535},
        {"310000", SPACE_INPUT, 9999},
    };
    static const char *const bad[] = {"",      "4001",  "40000", "400000", "465537", "499999",
                                      "20001", "50001", "4000x", "-40001", "4000001"};
    enum point_space space;
    uint16_t address;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(good); i++) {
        assert_true(value_register(good[i].text, &space, &address));
        assert_int_equal(space, good[i].space);
        assert_int_equal(address, good[i].address);
    }
    for (size_t i = 0; i < RG_COUNT(bad); i++)
        assert_false(value_register(bad[i], &space, &address));
}

static void test_scaling(void **state)
{
    static const struct {
        const char *scale, *offset;
        struct scaling wanted;
    } rows[] = {
        {NULL, NULL, {1, 0, 1}},
        {"0.1", NULL, {1, 0, 10}},
        {"0.10", "0", {1, 0, 10}},
        {"-0.25", "2.5", {-25, 250, 100}},
        {"10", "-40", {10, -40, 1}},
        {"1e-3", "1", {1, 1000, 1000}},
        {"2", "-273.15", {200, -27315, 100}},
        {"100", NULL, {100, 0, 1}},
        {"0.000001", "0.0", {1, 0, 1e6}},
        {".5", "5.", {5, 50, 10}},
        {"123456789012345", NULL, {123456789012345.0, 0, 1}},
        /* Too many digits, or too far apart, for exact integers: the nearest doubles. */
        {"0.1234567890123456", NULL, {0.1234567890123456, 0, 1}},
        {"1e-30", NULL, {1e-30, 0, 1}},
        {"1e30", NULL, {1e30, 0, 1}},
        {"1e-9", "12345678.9", {1e-9, 12345678.9, 1}},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct scaling found = value_scaling(rows[i].scale, rows[i].offset);

        if (found.num != rows[i].wanted.num || found.add != rows[i].wanted.add ||
            found.den != rows[i].wanted.den)
            print_error("scale %s: %.17g %.17g %.17g\n", rows[i].scale, found.num, found.add, found.den);
        assert_true(found.num == rows[i].wanted.num && found.add == rows[i].wanted.add &&
                    found.den == rows[i].wanted.den);
    }
    /* What it is for. */
    assert_true((123 * value_scaling("0.1", NULL).num) / value_scaling("0.1", NULL).den == 12.3);
}

static void test_rate(void **state)
{
    double rate = -1;

    (void)state;
    assert_int_equal(value_rate("200/s", &rate), VALUE_GOOD);
    assert_true(rate == 200);
    assert_int_equal(value_rate("0.5/s", &rate), VALUE_GOOD);
    assert_true(rate == 0.5);
    assert_int_equal(value_rate("unlimited", &rate), VALUE_GOOD);
    assert_true(rate == 0);
    assert_int_equal(value_rate("-1/s", &rate), VALUE_NOT);
    assert_int_equal(value_rate("200/m", &rate), VALUE_NOT);
    assert_int_equal(value_rate("/s", &rate), VALUE_NOT);
    assert_int_equal(value_rate("1111111111111111111111111111111111111/s", &rate), VALUE_NOT);
}

static void test_utf8(void **state)
{
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xe4\xb8",     "\xe4\x41\x41"};
    uint32_t code;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(bad); i++)
        assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &code), 0);
    assert_int_equal(utf8_decode("", 0, &code), 0);
    assert_int_equal(utf8_decode("\xe4\xb8\xad", 3, &code), 3);
    assert_int_equal(code, 0x4e2d);
    assert_int_equal(utf8_width(code), 2);
    assert_int_equal(utf8_decode("\xf0\x9f\x98\x80", 4, &code), 4);
    assert_int_equal(code, 0x1f600);
    assert_true(utf8_is_allowed('\n') && utf8_is_allowed('\t') && utf8_is_allowed(0x4e2d));
    assert_false(utf8_is_allowed(0) || utf8_is_allowed(0x1b) || utf8_is_allowed(0x7f) ||
                 utf8_is_allowed(0x202e));
}

static void test_unquote(void **state)
{
    static const struct {
        const char *raw, *text;
    } rows[] = {
        {"", ""},        {"it''s", "it's"},     {"''''", "''"},    {"  a  ", "  a  "},
        {"a\nb", "a b"}, {"a \t\n\t b", "a b"}, {"a\r\nb", "a b"}, {"a\n\n\nb", "a\n\nb"},
        {"\n", " "},     {"a\n", "a "},         {"\\n", "\\n"},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char out[32];
        size_t length = yaml_unquote(rows[i].raw, strlen(rows[i].raw), out);

        assert_int_equal(length, strlen(rows[i].text));
        assert_memory_equal(out, rows[i].text, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uscc),    cmocka_unit_test(test_uscc_faults), cmocka_unit_test(test_int),
        cmocka_unit_test(test_number),  cmocka_unit_test(test_endpoint),    cmocka_unit_test(test_register),
        cmocka_unit_test(test_scaling), cmocka_unit_test(test_rate),        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_unquote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
