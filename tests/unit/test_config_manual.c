/* LINK rg_config */
/* riskgate.yaml(5): its reference part is the table, and its examples are taken by the loader. */
#include "config_rows.h"

#include <stdlib.h>

#include "config/manual.h"
#include "config/profile.h"
#include "config/table.h"

#define PAGE "docs/man/riskgate.yaml.5"
#define EVERY_KEY "config/examples/every-key.yaml"
#define EVERY_KEY_PROFILE "config/examples/profiles/every-key.yaml"
#define BEGIN ".\\\" BEGIN KEYS"
#define END ".\\\" END KEYS"

static void path_of(const char *name, char *out, size_t size)
{
    const char *root = getenv("RG_SOURCE_DIR");

    assert_non_null(root);
    (void)snprintf(out, size, "%s/%s", root, name);
}

static char *read_file(const char *name)
{
    char path[4096];
    char *text = calloc(1, 1 << 20);
    FILE *f;

    path_of(name, path, sizeof path);
    assert_non_null(text);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    assert_int_equal(fclose(f), 0);
    return text;
}

static char *made_keys(void)
{
    char config[4096];
    char profile[4096];
    char missing[256];
    char *made = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&made, &size);

    assert_non_null(f);
    path_of(EVERY_KEY, config, sizeof config);
    path_of(EVERY_KEY_PROFILE, profile, sizeof profile);
    if (config_write_manual(config, profile, f, missing) != RG_OK)
        fail_msg("%s: add it to %s or %s", missing, EVERY_KEY, EVERY_KEY_PROFILE);
    assert_int_equal(fclose(f), 0);
    return made;
}

static void write_page(const char *name, const char *page, const char *keys, const char *made,
                       const char *end)
{
    FILE *out = fopen(name, "wb");

    if (!out)
        return;
    (void)fwrite(page, 1, (size_t)(keys - page), out);
    (void)fputs(made, out);
    (void)fputs(end, out);
    (void)fclose(out);
}

/* When this fails the table or an example has changed: RG_MANUAL_OUT=docs/man/riskgate.yaml.5 writes the page anew. */
static void test_page(void **state)
{
    char *page = read_file(PAGE);
    char *keys = strstr(page, BEGIN);
    char *end = keys ? strstr(keys, END) : NULL;
    char *made = made_keys();

    (void)state;
    assert_non_null(end);
    keys = strchr(keys, '\n') + 1;
    if (strlen(made) != (size_t)(end - keys) || strncmp(keys, made, strlen(made)) != 0) {
        const char *update = getenv("RG_MANUAL_OUT");

        if (update)
            write_page(update, page, keys, made, end);
        fail_msg("%s is not what the table says (RG_MANUAL_OUT=FILE writes it)", PAGE);
    }
    free(page);
    free(made);
}

/* What may be amiss: passwords, certificates and groups are the site's, and `insecure` is warned of. */
static void check(struct config *config)
{
    config_print(config, stderr);
    assert_int_equal(config->error_count, 0);
    for (size_t i = 0; i < config->issue_count; i++)
        assert_true(strstr(config->issues[i].text, "there is no file") ||
                    strstr(config->issues[i].text, "there is no group") ||
                    strstr(config->issues[i].text, "as `insecure` allows"));
    config_free(config);
}

/* The examples: nothing wrong with the files that they come from. */
static void test_examples(void **state)
{
    char path[4096];
    struct config *config;

    (void)state;
    path_of(EVERY_KEY, path, sizeof path);
    assert_int_equal(config_load(path, &config), RG_OK);
    check(config);
    path_of(EVERY_KEY_PROFILE, path, sizeof path);
    assert_int_equal(config_load_profile(path, &config), RG_OK);
    check(config);
}

/* Each key has its entry under the heading of its section, with its default. */
static void test_every_key(void **state)
{
    char *page = read_file(PAGE);

    (void)state;
    for (unsigned s = 0; s < SECTION_COUNT; s++) {
        size_t count;
        const struct key_row *rows = table_rows((enum section)s, &count);

        for (size_t i = 0; i < count; i++) {
            char entry[160];
            const char *at;

            (void)snprintf(entry, sizeof entry, "\n.TP\n.B %s\n", rows[i].name);
            at = strstr(page, entry);
            assert_non_null(at);
            (void)snprintf(entry, sizeof entry, "\n\\&%s: ", rows[i].name);
            assert_non_null(strstr(at, entry));
        }
    }
    free(page);
}

static void test_missing(void **state)
{
    char config[4096];
    char profile[4096];
    char missing[256];
    FILE *nowhere = fopen("/dev/null", "wb");

    (void)state;
    assert_non_null(nowhere);
    path_of("config/examples/first.yaml", config, sizeof config);
    path_of(EVERY_KEY_PROFILE, profile, sizeof profile);
    assert_int_equal(config_write_manual(config, profile, nowhere, missing), RG_EINVAL);
    assert_non_null(strstr(missing, "no example of `include`"));
    assert_int_equal(config_write_manual("/nonexistent", profile, nowhere, missing), RG_EINVAL);
    assert_non_null(strstr(missing, "/nonexistent"));
    assert_int_equal(fclose(nowhere), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_page), cmocka_unit_test(test_examples),
                                       cmocka_unit_test(test_every_key), cmocka_unit_test(test_missing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
