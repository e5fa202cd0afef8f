/* LINK rg_config */
/* Files made to hurt: each must end in an error with a place (or be harmless) within seconds and bounded
 * memory. Every case runs in a process of its own, so that its peak of memory is its own. */
#include "config_rows.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)
#define MEMORY_KIB (1000L << 10) /* red zones and quarantine */
#else
#define MEMORY_KIB (400L << 10)
#endif
#define SECONDS 30
/* Past CONFIG_LOOKAHEAD, and quick; with RG_FULL set the largest file there can be. */
#define FILE_BYTES (getenv("RG_FULL") ? CONFIG_FILE_BYTES : CONFIG_FILE_BYTES / 8)

/* before, then unit as often as fits into size, then after; or as often as count says. */
struct bad_file {
    const char *name;
    const char *before, *unit, *after;
    size_t count;       /* 0: up to FILE_BYTES */
    const char *wanted; /* somewhere in the first error's text */
};

static const struct bad_file files[] = {
    {"brackets", "a: ", "[", "", 5000, "nested deeper than 32"},
    {"brackets to the end", "", "[", "", 0, "nested deeper than 32"},
    {"lines of brackets", "", "[[[[[[[[\n", "", 0, "nested deeper than 32"},
    {"braces", "a: ", "{a: ", "", 0, "nested deeper than 32"},
    {"one-pair mappings", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "a: b, ", "", 0, ""},
    {"dashes", "", "- ", "", 5000, "nested deeper than 32"},
    {"question marks", "", "? ", "", 5000, "a key must be a plain word"},
    {"laughs", "a: &a [x, x]\n", "b: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n", "", 20, "anchors are not taken"},
    {"aliases", "", "a: *a\n", "", 100, "aliases are not taken"},
    {"tags", "a: ", "!", " x\n", 100000, "tags are not taken"},
    {"merge", "", "<<: {a: 1}\n", "", 1000, "merge keys"},
    {"documents", "", "--- a\n", "", 0, "a second YAML document"},
    {"directives", "", "%YAML 1.2\n", "", 0, "duplicate version directive"},
    {"plain scalar", "a: ", "x", "\n", 0, ""},
    {"quoted scalar", "a: \"", "x\n", "\"\n", 0, ""},
    {"block scalar", "a: |\n", "  x\n", "", 0, ""},
    {"escapes", "a: \"", "\\u4e2d", "\"\n", 0, ""},
    {"comments", "", "# c\n", "", 0, ""},
    {"blank lines", "", "\n", "", 0, ""},
    {"flow list", "a: [", "a,", "]\n", 0, ""},
    {"flow map", "a: {", "a: b, ", "}\n", 0, ""},
    {"repeated keys", "", "store: \n", "", 0, "`store` is given twice"},
    {"unknown keys", "", "stoer: 1\n", "", 0, "unknown key `stoer`"},
    {"bare rules", "rules:\n", "- {}\n", "", 0, ""},
    {"bare points", GATEWAY BUS "devices:\n- {name: d, bus: b, unit: 1, points: [", "{},\n", "]}", 0, ""},
    {"statuses", GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, status: [",
     "{holding: 1, is: {1: good}}, ", "], points: [{name: p, coil: 0}]}]", 15000,
     "`status` must be 1 to 16 mappings"},
    {"cases of a status", GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, status: {holding: 1, is: {",
     "1: comm, ", "}}, points: [{name: p, coil: 0}]}]", 40000, "`is` must give 1 to 256 values"},
    {"words",
     GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, points: [{name: p, holding: 0, type: u16, values: {",
     "1: x, ", "}}]}]", 40000, "`values` must name 1 to 256 values"},
    {"rules for all",
     GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, points: [{name: p, coil: 0}]}]\nrules:\n",
     "- {name: x, points: '*', is: {1: red}}\n", "", 0, "defined already"},
    {"dangling names", GATEWAY "devices:\n", "- {name: x, bus: y, unit: 1, points: [{name: p, coil: 0}]}\n",
     "", 0, ""},
    {"nul", "a: ", "\0", "", 1, ""},
    {"nothing but 0xff", "", "\xff", "", 0, "byte 0xff is not UTF-8 text; it looks like UTF-16"},
    {"cut character", "a: ", "\xe4\xb8", "", 1, "byte 0xe4 is not UTF-8 text"},
    {"overlong", "a: ", "\xc0\xaf", "", 1, "byte 0xc0 is not UTF-8 text"},
    {"escape sequences", "a: ", "\033[2J", "", 10, "control character U+001B"},
    {"carriage returns", "", "a: b\r", "", 0, "a carriage return that does not end a line"},
    {"tabs", "a:\n", "\tb: 1\n", "", 100, "a tab in the indentation"},
    {"keys without end", "", "\"a\" ", "", 0, ""},
    {"quoted lines", "a: {", "\n \"x\"", "", 0, ""},
    {"colons", "", ": ", "", 5000, ""},
};

static char *make_file(const struct bad_file *file, size_t *length)
{
    size_t before = strlen(file->before);
    size_t after = strlen(file->after);
    size_t unit = strlen(file->unit) ? strlen(file->unit) : 1; /* "\0" */
    size_t count = file->count ? file->count : (FILE_BYTES - before - after) / unit;
    char *text = malloc(before + count * unit + after);

    assert_non_null(text);
    memcpy(text, file->before, before);
    for (size_t i = 0; i < count; i++)
        memcpy(text + before + i * unit, file->unit, unit);
    memcpy(text + before + count * unit, file->after, after);
    *length = before + count * unit + after;
    return text;
}

/* In the child: 0 when the file ended as it must. */
static int run_case(const struct bad_file *file)
{
    size_t length;
    char *text = make_file(file, &length);
    struct config *config;
    bool good;

    if (config_load_text("c.yaml", text, length, &config) != RG_OK)
        return 2;
    good = config->error_count > 0 && !config->site && config->issue_count > 0;
    for (size_t i = 0; good && i < config->issue_count; i++) {
        if (config->issues[i].severity != CONFIG_ERROR || config->issues[i].line == 0)
            continue;
        if (!strstr(config->issues[i].text, file->wanted)) {
            print_error("%s: found %s\n", file->name, config->issues[i].text);
            good = false;
        }
        break;
    }
    config_free(config);
    free(text);
    return good ? 0 : 1;
}

static void test_hostile(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(files); i++) {
        struct rusage usage;
        const struct rlimit bound = {.rlim_cur = SECONDS, .rlim_max = SECONDS};
        int status = 0;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
            /* Of its own time: a machine that stands still makes no file slow. */
            _exit(setrlimit(RLIMIT_CPU, &bound) == 0 ? run_case(&files[i]) : 3);
        }
        assert_int_equal(wait4(child, &status, 0, &usage), child);
        if (getenv("RG_VERBOSE"))
            print_message("%-24s %3ld.%03ld s %7ld KiB\n", files[i].name, (long)usage.ru_utime.tv_sec,
                          (long)usage.ru_utime.tv_usec / 1000, usage.ru_maxrss);
        if (status == 0 && usage.ru_maxrss < MEMORY_KIB)
            continue;
        print_error("%s: status 0x%x, %ld KiB\n", files[i].name, (unsigned)status, usage.ru_maxrss);
        failed++;
    }
    assert_int_equal(failed, 0);
}

/* Large and right: nothing is quadratic. The bound is for the slowest build; it takes a tenth of it at
 * most. */
static void test_many_points(void **state)
{
    const unsigned devices = 200;
    const unsigned points = 100;
    char *text = NULL;
    size_t length = 0;
    FILE *f = open_memstream(&text, &length);
    struct config *config;
    struct timespec before;
    struct timespec after;

    (void)state;
    assert_non_null(f);
    (void)fprintf(
        f, GATEWAY
        "buses: [{name: b, tcp: 'h:502'}]\nrules: [{name: r, points: '*.p1?', above: {red: 5}}]\ndevices:\n");
    for (unsigned d = 0; d < devices; d++) {
        (void)fprintf(f, "  - name: d%u\n    bus: b\n    unit: 1\n    poll: 1h\n    points:\n", d);
        for (unsigned p = 0; p < points; p++)
            (void)fprintf(f, "      - {name: p%u, holding: %u, type: u16, scale: 0.1, range: [0, 100]}\n", p,
                          p);
    }
    assert_int_equal(fclose(f), 0);
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
    assert_int_equal(config_load_text("c.yaml", text, length, &config), RG_OK);
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
    assert_non_null(config->site);
    assert_int_equal(config->site->point_count, devices * points);
    assert_int_equal(config->site->rules[0].point_count, devices * 10);
    assert_true(after.tv_sec - before.tv_sec < 20);
    config_free(config);
    free(text);
}

static void test_too_large(void **state)
{
    char *text = calloc(1, CONFIG_FILE_BYTES + 1);
    struct config *config;

    (void)state;
    assert_non_null(text);
    memset(text, '#', CONFIG_FILE_BYTES + 1);
    assert_int_equal(config_load_text("c.yaml", text, CONFIG_FILE_BYTES + 1, &config), RG_OK);
    assert_string_equal(config->issues[0].text, "`c.yaml` is larger than 8 MiB");
    config_free(config);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile), cmocka_unit_test(test_many_points),
                                       cmocka_unit_test(test_too_large)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
