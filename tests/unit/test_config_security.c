/* LINK rg_config rg_test_support */
/* The files that an uplink names: missing, open to others, of no use; and that no secret shows in what is printed. */
#include "config_rows.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pem_files.h"
#include "support_tmp.h"

#define BEGIN GATEWAY "devices: []\nuplinks:\n"
#define PLAIN BEGIN "  - {name: u, url: mqtt://127.0.0.1, username: x, password_file: secret}\n"
#define SECURE BEGIN "  - {name: u, url: mqtts://h, tls: {ca: ca.pem, cert: c.pem, key: c.key}}\n"

static char folder[SUPPORT_TMP_SIZE];

struct file {
    const char *name, *text;
    mode_t mode;
};

static void path_of(const char *name, char out[SUPPORT_TMP_SIZE + 32])
{
    (void)snprintf(out, SUPPORT_TMP_SIZE + 32, "%s/%s", folder, name);
}

static void put(const struct file *file)
{
    char path[SUPPORT_TMP_SIZE + 32];
    FILE *f;

    path_of(file->name, path);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fputs(file->text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, file->mode), 0);
}

/* All that is printed, the folder's name cut out. */
static void print(const char *text, char *out, size_t size)
{
    const struct file main_file = {"main.yaml", text, 0600};
    char path[SUPPORT_TMP_SIZE + 32], *cut, *printed = NULL;
    size_t length = 0;
    struct config *config = NULL;
    FILE *to;

    put(&main_file);
    path_of("main.yaml", path);
    assert_int_equal(config_load(path, &config), RG_OK);
    to = open_memstream(&printed, &length);
    assert_non_null(to);
    config_print(config, to);
    assert_int_equal(fclose(to), 0);
    (void)snprintf(out, size, "%s", printed);
    while ((cut = strstr(out, folder)) != NULL)
        memmove(cut, cut + strlen(folder) + 1, strlen(cut + strlen(folder) + 1) + 1);
    free(printed);
    config_free(config);
}

static const struct {
    const char *config;
    struct file files[4];
    const char *wanted; /* what is told of the uplink, each with its place; NULL: nothing */
    const char *more;
} rows[] = {
    {PLAIN, {{"secret", "geheim\n", 0600}}, NULL, NULL},
    {PLAIN,
     {{NULL, NULL, 0}},
     "main.yaml:4:66: warning: `password_file`: there is no file `secret` on this machine",
     NULL},
    {PLAIN,
     {{"secret", "geheim\n", 0640}},
     "`password_file`: others can get at `secret` (mode 640); chmod 600 it",
     NULL},
    {PLAIN, {{"secret", "geheim\n", 0604}}, "others can get at `secret` (mode 604)", NULL},
    {PLAIN, {{"secret", "geheim\n", 0622}}, "others can get at `secret` (mode 622)", NULL},
    {PLAIN, {{"secret", "", 0600}}, "the first line of `secret` is empty", NULL},
    {PLAIN, {{"secret", "\ngeheim\n", 0600}}, "the first line of `secret` is empty", NULL},
    {SECURE,
     {{"ca.pem", PEM_NEW, 0644}, {"c.pem", PEM_BROKER, 0644}, {"c.key", PEM_BROKER_KEY, 0600}},
     NULL,
     NULL},
    {SECURE,
     {{"c.pem", PEM_BROKER, 0644}, {"c.key", PEM_BROKER_KEY, 0600}},
     "main.yaml:4:41: warning: `ca`: there is no file `ca.pem` on this machine",
     NULL},
    {SECURE,
     {{"ca.pem", "nothing\n", 0644}, {"c.pem", "", 0644}, {"c.key", PEM_BROKER_KEY, 0600}},
     "warning: `ca`: `ca.pem`: holds no certificate (PEM)",
     "warning: `cert`: `c.pem`: holds no certificate (PEM)"},
    {SECURE,
     {{"ca.pem", PEM_NEW, 0644}, {"c.pem", PEM_BROKER, 0644}, {"c.key", PEM_OTHER_KEY, 0600}},
     "main.yaml:4:67: warning: `key`: `c.key`: the key does not fit the certificate `c.pem`",
     NULL},
    {SECURE,
     {{"ca.pem", PEM_NEW, 0644}, {"c.pem", PEM_BROKER, 0644}, {"c.key", PEM_BROKER_KEY_ENCRYPTED, 0600}},
     "warning: `key`: `c.key`: the key is encrypted with a passphrase, which nobody is there to give",
     NULL},
    {SECURE,
     {{"ca.pem", PEM_NEW, 0644}, {"c.pem", PEM_BROKER, 0644}, {"c.key", PEM_BROKER_KEY, 0644}},
     "warning: `key`: others can get at `c.key` (mode 644); chmod 600 it",
     NULL},
};

static void files_that_are_of_no_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char out[8192], path[SUPPORT_TMP_SIZE + 32];

        for (size_t k = 0; k < RG_COUNT(rows[i].files) && rows[i].files[k].name; k++)
            put(&rows[i].files[k]);
        print(rows[i].config, out, sizeof out);
        for (size_t k = 0; k < RG_COUNT(rows[i].files) && rows[i].files[k].name; k++) {
            path_of(rows[i].files[k].name, path);
            assert_int_equal(unlink(path), 0);
        }
        if (rows[i].wanted ? !strstr(out, rows[i].wanted) : strstr(out, "main.yaml:4") != NULL)
            fail_msg("row %zu: %s\ninstead of %s", i, out, rows[i].wanted ? rows[i].wanted : "nothing");
        if (rows[i].more && !strstr(out, rows[i].more))
            fail_msg("row %zu: %s\nwithout %s", i, out, rows[i].more);
        assert_null(strstr(out, "geheim"));
        assert_null(strstr(out, "error"));
    }
}

static void no_secret_is_printed(void **state)
{
    static const char *const lines[] = {
        "  - {name: u, url: mqtt://127.0.0.1, password: geheim}\n",
        "  - {name: u, url: mqtt://127.0.0.1, \"password\" : 'geheim, auch das geheim'}\n",
        "  - name: u\n    url: mqtt://127.0.0.1\n    Password:   geheim\n",
        "  - {name: u, url: mqtts://h, tls: {passphrase: geheim}}\n",
        "  - {name: u, url: \"mqtt://ich:geheim@h\"}\n",
        "  - {name: u, password: geheim, url: \"tcp://h\", secret: geheim}\n",
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(lines); i++) {
        char text[512], out[8192];

        (void)snprintf(text, sizeof text, BEGIN "%s", lines[i]);
        print(text, out, sizeof out);
        if (!strstr(out, "error") || strstr(out, "geheim"))
            fail_msg("line %zu: %s", i, out);
    }
}

/* What systemd hands over, by name: where it lies, and what is told of it. */
static void credentials_by_name(void **state)
{
    static const char config[] =
        BEGIN "  - {name: u, url: mqtts://h, username: x, password_file: credential:county, tls: {key: "
              "credential:k.pem, cert: credential:c}}\n";
    struct config *loaded = NULL;
    char out[8192], path[SUPPORT_TMP_SIZE + 32];

    (void)state;
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    print(config, out, sizeof out);
    assert_null(strstr(out, "main.yaml:4")); /* nobody can say anything of them here */
    assert_int_equal(config_load_text("main.yaml", config, strlen(config), &loaded), RG_OK);
    assert_non_null(loaded->site);
    assert_string_equal(loaded->site->uplinks[0].password_file,
                        "/run/credentials/riskgate.service/riskgate_county");
    config_free(loaded);

    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    print(config, out, sizeof out);
    assert_non_null(strstr(out, "`password_file`: there is no file `riskgate_county`"));
    /* As systemd gives them: an access list for the user shows as rights of the group. */
    put(&(struct file){"riskgate_county", "geheim\n", 0440});
    put(&(struct file){"riskgate_c", PEM_BROKER, 0440});
    put(&(struct file){"riskgate_k.pem", PEM_BROKER_KEY, 0440});
    print(config, out, sizeof out);
    assert_null(strstr(out, "main.yaml:4"));
    put(&(struct file){"riskgate_county", "\n", 0440});
    print(config, out, sizeof out);
    assert_non_null(strstr(out, "is empty"));
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"riskgate_county", "riskgate_c", "riskgate_k.pem"};

        path_of(names[i], path);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    print(BEGIN "  - {name: u, url: mqtts://h, password_file: \"credential:../x\"}\n", out, sizeof out);
    assert_non_null(strstr(out, "error: `password_file`: the name of a credential is"));
}

static int set_up(void **state)
{
    (void)state;
    return support_tmp_dir(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return support_tmp_remove(folder) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_of_no_use),
        cmocka_unit_test(no_secret_is_printed),
        cmocka_unit_test(credentials_by_name),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
