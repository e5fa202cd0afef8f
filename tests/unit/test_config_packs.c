/* LINK rg_config rg_test_support */
/* The shipped rule packs, each with its example site: every rule watches something there, every limit says where it comes from,
 * and each value that is the site's to give is asked for by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "config/config.h"
#include "support_tmp.h"

#define FILE_MAX ((size_t)1 << 18)

static const struct {
    const char *example;
    const char *packs[3];
    const char *left_out; /* rules of the pack that the example has no zone for, joined by blanks */
} sites[] = {
    {"dust", {"dust-dry", "dust-wet"}, ""},
    {"metallurgy-gas",
     {"metallurgy-gas"},
     "gas-co-zone-b gas-co-zone-c gas-co-zone-d gas-lel-zone-a gas-lel-zone-c gas-lel-zone-d"},
    {"ammonia", {"ammonia"}, ""},
    {"confined-space", {"confined-space"}, ""},
    {"tailings-wet", {"tailings-wet"}, ""},
    {"tailings-dry", {"tailings-dry"}, ""},
};

static const char *source(const char *folder, const char *name, char path[4096])
{
    (void)snprintf(path, 4096, "%s/config/%s/%s.yaml", getenv("RG_SOURCE_DIR"), folder, name);
    return path;
}

static char *read_file(const char *path)
{
    char *text = calloc(1, FILE_MAX);
    FILE *f = fopen(path, "rb");

    assert_non_null(text);
    if (!f)
        fail_msg("cannot open %s", path);
    assert_true(fread(text, 1, FILE_MAX - 1, f) < FILE_MAX - 1);
    assert_int_equal(fclose(f), 0);
    return text;
}

static struct config *load(const char *path)
{
    struct config *config;

    assert_int_equal(config_load(path, &config), RG_OK);
    return config;
}

static const struct site_rule *find(const struct site *site, const char *name)
{
    for (size_t i = 0; i < site->rule_count; i++)
        if (strcmp(site->rules[i].name, name) == 0)
            return &site->rules[i];
    return NULL;
}

/* Whether every level that the rule can give says where it comes from. */
static bool has_basis(const struct site_rule *rule)
{
    if (rule->basis[LEVEL_NONE])
        return true;
    for (unsigned level = LEVEL_BLUE; level < LEVEL_COUNT; level++) {
        bool gives = rule->has_above[level] || rule->has_below[level];

        for (size_t i = 0; i < rule->is_count; i++)
            gives = gives || rule->is[i].level == level;
        if (gives && !rule->basis[level])
            return false;
    }
    return true;
}

static void check_rule(const struct config *config, const char *name, const char *left_out)
{
    const struct site_rule *rule = find(config->site, name);
    bool latches;

    if (!rule) {
        if (!strstr(left_out, name))
            fail_msg("the rule %s watches nothing in its example", name);
        return;
    }
    if (rule->point_count == 0 || !rule->message || !has_basis(rule))
        fail_msg("the rule %s has no point, no message or no basis", name);
    /* Alarms of orange and red stand until somebody has acknowledged them. */
    latches = rule->latch_from != LEVEL_NONE && rule->latch_from <= LEVEL_ORANGE;
    for (unsigned level = LEVEL_ORANGE; level < LEVEL_COUNT; level++) {
        bool gives = rule->has_above[level] || rule->has_below[level];

        for (size_t i = 0; i < rule->is_count; i++)
            gives = gives || rule->is[i].level == level;
        if (gives && !latches && rule->latch_from != level)
            fail_msg("the rule %s does not latch at %s", name, level_name((enum level)level));
        if (gives)
            break;
    }
}

/* Every name behind "- name:" of a pack's rules. */
static size_t check_pack(const struct config *config, const char *pack, const char *left_out)
{
    char path[4096];
    char *text = read_file(source("rules", pack, path));
    char *at = strstr(text, "\nrules:");
    size_t count = 0;

    assert_non_null(at);
    while ((at = strstr(at, "\n  - name: ")) != NULL) {
        char name[TEXT_ID_MAX + 1];

        assert_int_equal(sscanf(at, "\n  - name: %64s", name), 1);
        check_rule(config, name, left_out);
        at++;
        count++;
    }
    /* An orange or red alarm that nobody's basis stands behind is the site's own, never ours in silence. */
    assert_non_null(strstr(text, "PROPOSAL"));
    free(text);
    return count;
}

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(sites); i++) {
        char path[4096];
        struct config *config = load(source("examples", sites[i].example, path));
        size_t count = 0;

        config_print(config, stderr);
        assert_int_equal(config->error_count + config->warning_count, 0);
        assert_non_null(config->site);
        for (size_t k = 0; sites[i].packs[k]; k++)
            count += check_pack(config, sites[i].packs[k], sites[i].left_out);
        assert_int_equal(count, config->site->rule_count + config->left_out_count);
        config_free(config);
    }
}

/* The example, with absolute includes, without the line that gives `value`. */
static void write_without(const char *path, const char *example, const char *value)
{
    FILE *f = fopen(path, "wb");
    size_t length = strlen(value);

    assert_non_null(f);
    for (const char *line = example; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, "  ", 2) == 0 && strncmp(line + 2, value, length) == 0 && line[2 + length] == ':')
            continue;
        for (const char *c = line, *end = strchr(line, '\n'); c <= end; c++) {
            if (strncmp(c, "../rules/", 9) == 0)
                c += fprintf(f, "%s/config/rules/", getenv("RG_SOURCE_DIR")) > 0 ? 8 : 0;
            else
                (void)fputc(*c, f);
        }
    }
    assert_int_equal(fclose(f), 0);
}

/* All errors are about the value that was taken out, each in the pack, each with the name of a rule. */
static void check_missing(const char *path, const char *value)
{
    struct config *config = load(path);
    char wanted[160];

    (void)snprintf(wanted, sizeof wanted, "needs the value `%s`", value);
    assert_null(config->site);
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        if (!strstr(issue->text, wanted) || strncmp(issue->text, "the rule `", 10) != 0 ||
            !strstr(issue->file, "config/rules/") || issue->line == 0)
            fail_msg("without %s: %s:%u: %s", value, issue->file, issue->line, issue->text);
    }
    config_free(config);
}

static void test_values(void **state)
{
    char folder[SUPPORT_TMP_SIZE];
    size_t values = 0;

    (void)state;
    assert_true(support_tmp_dir(folder));
    for (size_t i = 0; i < RG_COUNT(sites); i++) {
        char path[4096], copy[4096];
        char *text = read_file(source("examples", sites[i].example, path));
        char *at = strstr(text, "\nvalues:\n");

        (void)snprintf(copy, sizeof copy, "%s/site.yaml", folder);
        /* The lines of `values`, up to the next section. */
        for (at = at ? at + 9 : NULL; at && strncmp(at, "  ", 2) == 0; at = strchr(at, '\n') + 1) {
            char name[TEXT_ID_MAX + 1];

            assert_int_equal(sscanf(at, "  %64[^:]", name), 1);
            write_without(copy, text, name);
            check_missing(copy, name);
            values++;
        }
        free(text);
    }
    assert_true(values > 30);
    assert_true(support_tmp_remove(folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_values)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
