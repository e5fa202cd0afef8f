/* LINK rg_config */
/* The table against what is shipped: the schema's file, the examples, the names of the model. */
#include "config_rows.h"

#include <stdlib.h>

#include "config/table.h"

static char *read_file(const char *name)
{
    const char *root = getenv("RG_SOURCE_DIR");
    char path[4096];
    char *text = calloc(1, 1 << 20);
    FILE *f;

    assert_non_null(root);
    assert_non_null(text);
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    assert_int_equal(fclose(f), 0);
    return text;
}

/* When this fails the table has changed: write config/riskgate.schema.json anew with config_write_schema. */
static void check_schema(const char *name, void (*write)(FILE *to), const char *variable)
{
    char *file = read_file(name);
    char *made = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&made, &size);

    assert_non_null(f);
    write(f);
    assert_int_equal(fclose(f), 0);
    if (strcmp(file, made) != 0) {
        const char *update = getenv(variable);
        FILE *out = update ? fopen(update, "wb") : NULL;

        if (out) {
            (void)fwrite(made, 1, size, out);
            (void)fclose(out);
        }
        fail_msg("%s is not what the table says (%s=FILE writes it)", name, variable);
    }
    free(file);
    free(made);
}

static void test_schema_file(void **state)
{
    (void)state;
    check_schema("config/riskgate.schema.json", config_write_schema, "RG_SCHEMA_OUT");
}

static void test_profile_schema_file(void **state)
{
    (void)state;
    check_schema("config/profile.schema.json", config_write_profile_schema, "RG_PROFILE_SCHEMA_OUT");
}

static void test_shipped(void **state)
{
    static const char *const names[] = {"config/riskgate.yaml",
                                        "config/examples/first.yaml",
                                        "config/examples/serial.yaml",
                                        "config/examples/outputs.yaml",
                                        "config/examples/conditions.yaml",
                                        "config/examples/dust.yaml",
                                        "config/examples/metallurgy-gas.yaml",
                                        "config/examples/ammonia.yaml",
                                        "config/examples/confined-space.yaml",
                                        "config/examples/tailings-wet.yaml",
                                        "config/examples/tailings-dry.yaml"};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(names); i++) {
        char path[4096];
        struct config *config;

        (void)snprintf(path, sizeof path, "%s/%s", getenv("RG_SOURCE_DIR"), names[i]);
        assert_int_equal(config_load(path, &config), RG_OK);
        config_print(config, stderr);
        assert_int_equal(config->error_count + config->warning_count, 0);
        assert_non_null(config->site);
        config_free(config);
    }
}

static const struct key_row *find_row(enum section section, const char *name)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fail_msg("no row %s", name);
    return NULL;
}

/* The names in the table are those the model prints. */
static void test_model_names(void **state)
{
    (void)state;
    for (const struct choice *c = find_row(SECTION_POINT, "type")->choices; c->name; c++)
        assert_string_equal(c->name, point_type_name((enum point_type)c->value));
    for (const struct choice *c = find_row(SECTION_POINT, "order")->choices; c->name; c++)
        assert_string_equal(c->name, word_order_name((enum word_order)c->value));
    for (const struct choice *c = find_row(SECTION_AREA, "tier")->choices; c->name; c++)
        assert_string_equal(c->name, area_tier_name((enum area_tier)c->value));
    for (const struct choice *c = find_row(SECTION_AREA, "inherent")->choices; c->name; c++)
        assert_string_equal(c->name, level_name((enum level)c->value));
    for (const struct choice *c = find_row(SECTION_ALARMS, "from")->choices; c->name; c++)
        assert_string_equal(c->name, level_name((enum level)c->value));
    for (const struct choice *c = find_row(SECTION_LOG, "level")->choices; c->name; c++)
        assert_string_equal(c->name, log_level_name((enum log_level)c->value));
    for (const struct choice *c = find_row(SECTION_BUS, "baud")->choices; c->name; c++)
        assert_int_equal(c->value, strtol(c->name, NULL, 10));
    for (const struct choice *c = find_row(SECTION_WIRE, "input")->choices; c->name; c++)
        assert_string_equal(c->name, wire_input_name((enum wire_input)c->value));
    for (const struct choice *c = find_row(SECTION_WIRE, "sign")->choices; c->name; c++)
        assert_string_equal(c->name, wire_sign_name((enum wire_sign)c->value));
    for (const struct choice *c = find_row(SECTION_PRESSURE, "to")->choices; c->name; c++)
        assert_string_equal(c->name, pressure_unit_name((enum pressure_unit)c->value));
    for (unsigned kind = CONVERT_NONE + 1; kind <= CONVERT_PRESSURE; kind++)
        (void)find_row(SECTION_CONVERT, convert_kind_name((enum convert_kind)kind));
    for (unsigned kind = 0; kind <= DERIVE_INCREASE; kind++)
        (void)find_row(SECTION_DERIVED_POINT, derive_kind_name((enum derive_kind)kind));
    for (unsigned space = SPACE_COIL; space <= SPACE_HOLDING; space++)
        (void)find_row(SECTION_POINT, point_space_name((enum point_space)space));
}

static void test_rows(void **state)
{
    size_t total = 0;

    (void)state;
    for (unsigned s = 0; s < SECTION_COUNT; s++) {
        size_t count;
        const struct key_row *rows = table_rows((enum section)s, &count);

        assert_true(count > 0 && count <= TABLE_KEYS_MAX);
        total += count;
        assert_non_null(table_title((enum section)s));
        for (size_t i = 0; i < count; i++) {
            /* A documented sentence, unique, and room for the value it names. */
            assert_true(strlen(rows[i].doc) > 3 && rows[i].doc[strlen(rows[i].doc) - 1] == '.');
            assert_ptr_equal(find_row((enum section)s, rows[i].name), &rows[i]);
            assert_true((rows[i].flags & KEY_LATER) || rows[i].kind == KIND_MAP || s == SECTION_ROOT ||
                        rows[i].kind == KIND_LIKE || rows[i].size > 0);
            assert_true(rows[i].kind != KIND_CHOICE || rows[i].choices);
            assert_true(rows[i].min <= rows[i].max);
        }
    }
    assert_true(total > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_file), cmocka_unit_test(test_profile_schema_file),
        cmocka_unit_test(test_shipped), cmocka_unit_test(test_model_names), cmocka_unit_test(test_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
