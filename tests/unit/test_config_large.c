/* LINK rg_config rg_test_support */
/* Files of hundreds of KiB, which the YAML library reads piece by piece: every text is the one that stands there, however it is written, and an
 * error is shown at its place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/config.h"
#include "support_tmp.h"

#define DEVICES 400
#define POINTS 6

struct bed {
    char folder[SUPPORT_TMP_SIZE], file[SUPPORT_TMP_SIZE + 16];
    struct config *config;
};

/* How a text may be written; %s is the text, in which nothing has to be escaped. */
static const char *const quotes[] = {"'%s'", "\"%s\"", "%s"};

static void text_of(unsigned device, unsigned point, char *out, size_t size)
{
    (void)text_format(out, size, "单位%u-%u é", device, point);
}

/* One line for all, or a line for each. */
static void write_site(FILE *f, bool one_line, const char *ending, const char *last)
{
    const char *point_begin = one_line ? ", {" : "      - {";
    char text[64], quoted[80];

    (void)fprintf(f, "gateway: {id: g, enterprise: {code: 91350100M000100Y43, name: 'abc'}}%s", ending);
    (void)fprintf(f, "buses: [{name: b, tcp: '127.0.0.1:1502'}, {name: c, tcp: 127.0.0.1:1503}]%s", ending);
    (void)fprintf(f, "devices:%s%s", one_line ? " [" : "", one_line ? "" : ending);
    for (unsigned d = 0; d < DEVICES; d++) {
        if (one_line)
            (void)fprintf(f, "%s{name: d%u, bus: %s, unit: %u, poll: 30s, points: [", d ? ", " : "", d,
                          d < 200 ? "b" : "c", d % 200 + 1);
        else
            (void)fprintf(f, "  - name: d%u%s    bus: %s%s    unit: %u%s    poll: 30s%s    points:%s", d,
                          ending, d < 200 ? "b" : "c", ending, d % 200 + 1, ending, ending, ending);
        for (unsigned p = 0; p < POINTS; p++) {
            text_of(d, p, text, sizeof text);
            /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
            const char *quote = quotes[(d + p) % RG_COUNT(quotes)];
            const char *at = strstr(quote, "%s");

            (void)text_format(quoted, sizeof quoted, "%.*s%s%s", (int)(at - quote), quote, text, at + 2);
            (void)fprintf(f, "%sname: p%u, holding: %u,\ttype: u16, unit: %s}%s",
                          one_line && p == 0 ? "{" : point_begin, p, p, quoted, one_line ? "" : ending);
        }
        if (one_line)
            (void)fputs("]}", f);
    }
    (void)fprintf(f, "%s%s%s%s", one_line ? "]" : "", one_line ? ending : "", last, ending);
}

static void load(struct bed *b, bool one_line, const char *ending, const char *last)
{
    FILE *f;

    *b = (struct bed){0};
    assert_true(support_tmp_dir(b->folder));
    (void)text_format(b->file, sizeof b->file, "%s/large.yaml", b->folder);
    f = fopen(b->file, "w");
    assert_non_null(f);
    write_site(f, one_line, ending, last);
    assert_true(ftell(f) > 150000);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(config_load(b->file, &b->config), RG_OK);
}

static void end(struct bed *b)
{
    config_free(b->config);
    assert_true(support_tmp_remove(b->folder));
}

static void every_text_is_its_own(void **state)
{
    static const char *const endings[] = {"\n", "\r\n"};

    (void)state;
    for (int one_line = 0; one_line < 2; one_line++) {
        for (size_t e = 0; e < RG_COUNT(endings); e++) {
            struct bed b;
            char wanted[64];

            load(&b, one_line != 0, endings[e], "log: {level: info}");
            if (!b.config->site)
                config_print(b.config, stderr);
            assert_non_null(b.config->site);
            assert_int_equal(b.config->site->point_count, DEVICES * POINTS);
            for (unsigned i = 0; i < DEVICES * POINTS; i++) {
                text_of(i / POINTS, i % POINTS, wanted, sizeof wanted);
                assert_string_equal(b.config->site->points[i].unit, wanted);
            }
            end(&b);
        }
    }
}

static const struct config_issue *first_error(const struct config *config)
{
    size_t i = 0;

    while (config->issues[i].severity != CONFIG_ERROR)
        i++;
    return &config->issues[i];
}

static void an_error_is_shown_where_it_is(void **state)
{
    (void)state;
    for (int one_line = 0; one_line < 2; one_line++) {
        struct bed b;

        load(&b, one_line != 0, "\n", "log: {level: 'info', 颜色: 'loud'}");
        assert_null(b.config->site);
        assert_int_equal(b.config->error_count, 1);
        const struct config_issue *issue = first_error(b.config);
        assert_non_null(strstr(issue->source, "log: {level: 'info', 颜色: 'loud'}"));
        assert_int_equal(issue->column, 22);
        assert_int_equal(issue->line, one_line ? 4 : 3 + DEVICES * (5 + POINTS) + 1);
        end(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_is_its_own),
        cmocka_unit_test(an_error_is_shown_where_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
